import { chmod, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startScriptedModel } from "../../graphs/testing/scripted-model.ts";
import { type Database, killDatabase, startDatabase } from "./database.ts";
import { journalEnv } from "./journal.ts";
import { freePort, type Supervised, supervise } from "./processes.ts";
import type { Random } from "./random.ts";
import { modelTokens } from "./scenarios.ts";

const apis = 2;
const workers = 3;
/** The clock offsets of its processes, in milliseconds. */
const clockErrors = [0, 500, -500, 2_000, -2_000, 3_600_000, -3_600_000];
export const leaseSeconds = 3;
export const drainSeconds = 5;

/** A whole service in separate processes, with its database and model. */
export interface ChaosService {
  home: string;
  journalFile: string;
  database: Database;
  processes: Supervised[];
  urls: string[];
  /** Ends the processes. The database stays for the checks. */
  stopProcesses(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the service. Each part adds a function to `killers` that ends it without waiting. */
export async function startChaosService(killers: (() => void)[], random: Random): Promise<ChaosService> {
  const home = await mkdtemp(join(tmpdir(), "ensemble-chaos-"));
  await chmod(home, 0o755); // for root, whose Postgres runs as another user
  const journalFile = join(home, "journal");
  killers.push(() => killDatabase(home));
  const database = await startDatabase(home);
  const model = await startScriptedModel();
  model.script({ tokens: modelTokens, pauseMs: 120 });
  const env = {
    ENSEMBLE_CONFIG: fileURLToPath(new URL("./langgraph.json", import.meta.url)),
    ENSEMBLE_LEASE_SECS: String(leaseSeconds),
    // No run here kills its worker, but the harness may kill or stop several of its workers in a row.
    BG_JOB_MAX_RETRIES: "10",
    WORKER_DRAIN_TIMEOUT: String(drainSeconds),
    ENSEMBLE_EVENT_RETENTION_SECS: "3600",
    OPENAI_BASE_URL: model.baseUrl,
    OPENAI_API_KEY: "none",
    ...journalEnv(journalFile),
  };
  const ports = await Promise.all(Array.from({ length: apis }, freePort));
  const shared = { home, urlFor: database.urlFor, clockMs: () => random.pick(clockErrors) };
  const processes = [
    ...ports.map((port, n) => supervise({ ...shared, role: "api", name: `api-${n}`, env: { ...env, PORT: String(port) } })),
    ...Array.from({ length: workers }, (_, n) => supervise({ ...shared, role: "worker", name: `worker-${n}`, env })),
  ];
  killers.unshift(...processes.map((process) => () => process.signal("SIGKILL")));
  const stopProcesses = async () => void (await Promise.all(processes.map((process) => process.stop())));
  return {
    home,
    journalFile,
    database,
    processes,
    urls: ports.map((port) => `http://127.0.0.1:${port}`),
    stopProcesses,
    async stop() {
      await stopProcesses();
      model.close();
      await database.stop();
    },
  };
}

const startLimitMs = 60_000;

/** Resolves when both APIs answer and all workers are announced. */
export async function untilReady({ urls, database }: ChaosService): Promise<void> {
  const deadline = Date.now() + startLimitMs;
  const answers = (url: string) =>
    fetch(`${url}/ok`)
      .then((response) => response.ok)
      .catch(() => false);
  while (Date.now() < deadline) {
    const up = await Promise.all(urls.map(answers));
    const [count] = await database.query<{ workers: number }>("select count(*)::integer as workers from workers");
    if (up.every(Boolean) && count?.workers === workers) return;
    await sleep(100);
  }
  throw new Error("The service did not start in time.");
}

const settleLimitMs = 30_000;

/** Waits until no run is open, within bounds. Returns how long it took. */
export async function untilSettled({ database }: ChaosService): Promise<number> {
  const started = Date.now();
  while (Date.now() - started < settleLimitMs) {
    const [open] = await database.query<{ runs: number }>("select count(*)::integer as runs from runs where ended_at is null");
    if (open?.runs === 0) break;
    await sleep(50);
  }
  return Date.now() - started;
}
