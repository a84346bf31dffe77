import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type pg from "pg";
import { connectTo } from "../client.ts";
import { LoadResult } from "../load/load.ts";
import { type ServerProcess, startProcess } from "../process.ts";
import type { Stage } from "../stage.ts";
import { type Contender, startTogether } from "./contender.ts";

/** Our service as a contender, with access to its database. */
export interface Service extends Contender {
  url: string;
  db: pg.Client;
  /** The address of the inspector of the process that serves the API and executes runs. */
  inspector: string | undefined;
}

export interface ServiceOptions {
  name?: string;
  /** The number of workers next to one API process. With 0, one process serves the API and executes runs. */
  workers?: number;
  env?: Record<string, string>;
  /** Command-line options for Node. */
  flags?: string[];
  databaseUrl?: string;
  /** The command of another checkout, for a comparison of the two. */
  command?: URL;
}

const command = fileURLToPath(new URL("../../src/cli/ensemble.ts", import.meta.url));
export const benchProject = fileURLToPath(new URL("../graphs/langgraph.json", import.meta.url));

/** The environment of all our processes. Events are kept, so that no sweep disturbs the turn of a contender. */
const settings = {
  PORT: "0",
  HOST: "127.0.0.1",
  LOG_LEVEL: "silent",
  ENSEMBLE_CONFIG: benchProject,
  ENSEMBLE_EVENT_RETENTION_SECS: "3600",
  OPENAI_BASE_URL: "http://127.0.0.1:9/v1", // without this, the rehearsal model would run in the measured process
  OPENAI_API_KEY: "none",
};

export async function startService(stage: Stage, options: ServiceOptions = {}): Promise<Service> {
  const { name = "ours", workers = 0, env = {}, flags = [] } = options;
  const program = options.command ? fileURLToPath(options.command) : command;
  const databaseUrl = options.databaseUrl ?? (await stage.createDatabase());
  const given = { ...settings, DATABASE_URL: databaseUrl, ...env };
  const role = workers > 0 ? "api" : "all";
  const api = startProcess([...flags, program, "start"], { ...given, ENSEMBLE_ROLE: role }, /listens on (\S+)/);
  const processes = await startTogether([api, ...Array.from({ length: workers }, () => startWorker(given))]);
  const { found: url, inspector } = await api;
  const db = await connectTo(databaseUrl);
  return {
    name,
    url,
    db,
    pids: processes.map(({ pid }) => pid),
    inspector,
    run: (load) => stage.driver.ask({ urls: [url], load }, LoadResult),
    async stop() {
      await db.end();
      await Promise.all(processes.map((process) => process.stop()));
    },
  };
}

/** Starts another worker on the contender's database. */
export const startWorker = (env: Record<string, string>): Promise<ServerProcess> =>
  startProcess([command, "start"], { ...settings, ...env, ENSEMBLE_ROLE: "worker" }, /worker runs/);

/** Waits until a condition in the database is true, within a time limit. Returns whether it became true. */
export async function untilTrue(db: pg.Client, question: string, limitMs: number): Promise<boolean> {
  for (const deadline = Date.now() + limitMs; Date.now() < deadline; await sleep(100)) {
    const { rows } = await db.query<{ is: boolean }>(`select (${question}) as is`);
    if (rows[0]?.is) return true;
  }
  return false;
}
