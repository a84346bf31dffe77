import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("../../src/cli/ensemble.ts", import.meta.url));
const clock = new URL("./clock.ts", import.meta.url).href;
const respawnMs = 100;

export type Role = "api" | "worker";

/** One process of the service, and its successors. When one ends, the next is started. */
export interface Supervised {
  readonly role: Role;
  readonly name: string;
  /** The name of the current process and of its connections. */
  readonly app: string;
  readonly pid: number;
  /** Tells whether a signal has stopped it. */
  frozen: boolean;
  /** Tells whether the current process has reported that it is ready. */
  readonly isReady: boolean;
  signal(signal: NodeJS.Signals): void;
  /** Resolves when the current process has ended. */
  exited(): Promise<void>;
  /** Ends it for good. */
  stop(): Promise<void>;
}

export interface ProcessOptions {
  role: Role;
  name: string;
  home: string;
  env: Record<string, string>;
  urlFor: (app: string) => string;
  /** The clock offset of the next process. */
  clockMs: () => number;
}

export function supervise({ role, name, home, env, urlFor, clockMs }: ProcessOptions): Supervised {
  const log = createWriteStream(join(home, `${name}.log`));
  let generation = 0;
  let stopping = false;
  let isReady = false;
  let child = start();

  function start(): ChildProcess {
    generation += 1;
    isReady = false;
    const place = { ENSEMBLE_ROLE: role, DATABASE_URL: urlFor(`${name}.${generation}`), CHAOS_CLOCK_MS: String(clockMs()) };
    const started = spawn(process.execPath, ["--import", clock, command, "start"], {
      env: { PATH: process.env.PATH ?? "", ...env, ...place },
      stdio: ["ignore", "pipe", "pipe"],
    });
    started.stdout?.pipe(log, { end: false });
    started.stdout?.on("data", (chunk) => {
      if (started === child && /Ensemble (listens on|worker runs)/.test(String(chunk))) isReady = true;
    });
    started.stderr?.pipe(log, { end: false });
    return started;
  }

  async function keepAlive(): Promise<void> {
    for (;;) {
      await supervised.exited();
      if (stopping) return;
      await sleep(respawnMs);
      if (stopping) return;
      supervised.frozen = false;
      child = start();
    }
  }

  const supervised: Supervised = {
    role,
    name,
    frozen: false,
    get app() {
      return `${name}.${generation}`;
    },
    get pid() {
      return child.pid ?? 0;
    },
    signal(signal) {
      if (signal === "SIGKILL" || signal === "SIGTERM") isReady = false;
      child.kill(signal);
    },
    get isReady() {
      return isReady;
    },
    async exited() {
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
    async stop() {
      stopping = true;
      child.kill("SIGKILL"); // reaches a stopped process too
      await finished;
      log.end();
    },
  };
  const finished = keepAlive();
  return supervised;
}

/** Returns a free port. A process that is restarted needs its old address. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  return typeof address === "object" && address ? address.port : 0;
}
