import { spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { makeDataDirectory } from "../../db/data-directory.ts";
import { readEnvironment } from "../../startup/environment.ts";

/** A service that this command has started for itself. */
export interface OwnService {
  url: string;
  pid: number;
  log: string;
  stop(): Promise<void>;
  /** Lets the service continue to run after this process has ended. */
  release(): void;
}

const startTimeoutMs = 60_000;
const stopTimeoutMs = 40_000;
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
const program = fileURLToPath(new URL(`../ensemble.${extension}`, import.meta.url));
/**
 * Environment variables that are empty in the started service, whatever their values in the shell are. The service thus uses the embedded
 * database, and is both the API and a worker.
 */
const plain = { DATABASE_URL: "", DATABASE_URI: "", POSTGRES_URI: "", DATABASE_DIRECT_URL: "", ENSEMBLE_ROLE: "" };

/**
 * Starts `ensemble start` in a session of its own, so that Ctrl-C in this terminal does not reach the service. Waits until the service
 * prints its URL.
 */
export async function startOwnService(leaving: AbortSignal): Promise<OwnService> {
  const { dataDir } = await readEnvironment();
  const log = join(await makeDataDirectory(dataDir), "demo.log");
  const file = await open(log, "w");
  const child = spawn(process.execPath, [program, "start"], {
    detached: true,
    stdio: ["ignore", file.fd, file.fd],
    env: { ...process.env, ...plain },
  });
  const exited = once(child, "exit");
  await file.close();

  async function stop(): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    await Promise.race([exited, sleep(stopTimeoutMs, undefined, { ref: false })]);
  }

  for (const deadline = performance.now() + startTimeoutMs; performance.now() < deadline && !leaving.aborted; await sleep(50)) {
    const written = await readFile(log, "utf8");
    const url = /Ensemble listens on (\S+)/.exec(written)?.[1];
    if (url) return { url, pid: child.pid ?? 0, log, stop, release: () => child.unref() };
    if (child.exitCode !== null) throw new Error(`The service did not start: ${lastLine(written)} (its log is ${log})`);
  }
  await stop();
  throw new Error(
    leaving.aborted ? "Stopped before the service had started." : `The service did not start within 60 s. Its log is ${log}.`,
  );
}

const lastLine = (text: string) =>
  text
    .trim()
    .split("\n")
    .at(-1)
    ?.replace(/^ensemble: /, "") ?? "";
