import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { onTestFailed, onTestFinished } from "vitest";
import { afterFile } from "./after-file.ts";
import { createDatabase } from "./database.ts";
import { clientFor, startProcess, type TestProcess, type TestService } from "./service.ts";

const project = fileURLToPath(new URL("./graphs/langgraph.json", import.meta.url));

export interface JournalLine {
  runId: string;
  attempt: number;
  what: string;
  pid: number;
  at: number;
}

export interface TestCluster extends Pick<TestService, "client" | "fetch"> {
  db: pg.Pool;
  databaseUrl: string;
  /** The address of the API process. */
  url: string;
  startWorker(env?: Record<string, string>): Promise<TestProcess>;
  /** Returns the worker that an earlier test left running, or else starts one. A start costs a second of CPU. */
  aWorker(): Promise<TestProcess>;
  /** Returns the lines that nodes have written to the journal, which is a file outside the checkpoints. */
  journal(runId?: string): JournalLine[];
  /** Returns how often each line is in the journal. */
  counts(runId: string): Record<string, number>;
  /** Returns a function that tells whether a line is in the journal, for use with `until`. */
  begun(runId: string, what: string): () => boolean;
  rowOf(runId: string): Promise<{ status: string; attempt: number; crashes: number; worker_id: string | null }>;
  /** The path of the journal, which a run's `configurable` must contain. */
  journalFile: string;
}

/** Starts an API, and as many workers as a test asks for, in separate processes. Tests can kill, stop and restart them. */
export async function startCluster(env: Record<string, string> = {}): Promise<TestCluster> {
  const databaseUrl = await createDatabase();
  const journalFile = join(mkdtempSync(join(tmpdir(), "ensemble-journal-")), "journal");
  writeFileSync(journalFile, "");
  const settings = {
    ENSEMBLE_CONFIG: project,
    DATABASE_URL: databaseUrl,
    PORT: "0",
    ENSEMBLE_LEASE_SECS: "3",
    WORKER_DRAIN_TIMEOUT: "5",
    ...env,
  };
  const processes: TestProcess[] = [];
  let standing: TestProcess | undefined;
  const start = async (more: Record<string, string>) => {
    const started = await startProcess({ ...settings, ...more });
    processes.push(started);
    return started;
  };
  const api = await start({ ENSEMBLE_ROLE: "api" });
  const ofWorker = { ENSEMBLE_ROLE: "worker", ENSEMBLE_URL: api.url ?? "" };
  const db = new pg.Pool({ connectionString: databaseUrl, max: 3 });
  afterFile(async () => {
    for (const { child } of processes) child.kill("SIGKILL"); // in whatever state a test has left it
    await Promise.all(processes.map(({ exited }) => exited));
    await db.end();
    rmSync(dirname(journalFile), { recursive: true });
  });
  const journal = (runId?: string) => {
    const lines = readFileSync(journalFile, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as JournalLine);
    return runId ? lines.filter((line) => line.runId === runId) : lines;
  };
  return {
    ...clientFor([api.url ?? ""]),
    db,
    databaseUrl,
    url: api.url ?? "",
    async startWorker(more = {}) {
      const worker = await start({ ...ofWorker, ...more });
      onTestFinished(() => void worker.child.kill("SIGKILL")); // a failed test thus leaves no worker for the next test
      return worker;
    },
    async aWorker() {
      if (!standing || standing.child.killed || standing.child.exitCode !== null) standing = await start(ofWorker);
      const { child } = standing;
      onTestFailed(() => void child.kill("SIGKILL"));
      return standing;
    },
    journal,
    counts(runId) {
      const byWhat = Map.groupBy(journal(runId), ({ what }) => what);
      return Object.fromEntries([...byWhat].map(([what, lines]) => [what, lines.length]));
    },
    begun: (runId, what) => () => journal(runId).some((line) => line.what === what),
    rowOf: async (runId) => (await db.query("select status, attempt, crashes, worker_id from runs where run_id = $1", [runId])).rows[0],
    journalFile,
  };
}

/** Waits until a condition is true. The time limit is the test's own. */
export async function until(fact: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await fact())) await new Promise((resolve) => setTimeout(resolve, 25));
}
