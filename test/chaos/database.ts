import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { startEmbeddedPostgres } from "../../src/db/embedded.ts";
import { migrate } from "../../src/db/migrate.ts";
import { openPool } from "../../src/db/pool.ts";

const ownName = "chaos harness";

/** One event in the database, as its own triggers recorded it. */
export interface AuditRow {
  seq: number;
  /** Milliseconds since the epoch, by the same clock as in the journal. */
  at: number;
  /** The name of the connection that caused the event. It identifies the process. */
  app: string;
  what: "announced" | "claim" | "back" | "end" | "checkpoint" | "write" | "unwrite" | "effect" | "event";
  runId: string | null;
  attempt: number | null;
  /** The fields depend on the event. */
  detail: AuditDetail;
}

interface AuditDetail {
  ns: string;
  id: string | number;
  step: number;
  task: string;
  idx: number;
  /** The limits whose slots a claimed run holds, and its queue key. */
  holds: string[] | null;
  key: string | null;
}

export interface Database {
  /** Returns a URL for a process of the service. Its connections have this name. */
  urlFor(name: string): string;
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  audit(): Promise<AuditRow[]>;
  restart(mode: "fast" | "immediate"): Promise<void>;
  /** Closes every connection but the harness's own. */
  cutConnections(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a separate, migrated Postgres. Its triggers record which process wrote what, and in which order. */
export async function startDatabase(home: string): Promise<Database> {
  const server = await startEmbeddedPostgres(join(home, "data"));
  const urlFor = (name: string) => `${server.url}?application_name=${encodeURIComponent(name)}`;
  const pool = openPool({ url: urlFor(ownName), size: 6, onError: () => {} });
  await migrate(pool);
  await pool.query(await readFile(new URL("./audit.sql", import.meta.url), "utf8"));

  async function query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]> {
    return (await pool.query<Row>(text, values)).rows;
  }

  return {
    urlFor,
    query,
    audit: () =>
      query<AuditRow>(
        `select seq::double precision as seq, at, app, what, run_id as "runId", attempt, detail from chaos_audit order by chaos_audit.seq`,
      ),
    async restart(mode) {
      await server.restart(mode);
      while (!(await pool.query("select 1").catch(() => undefined))) await sleep(20);
    },
    async cutConnections() {
      await query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name <> $1", [
        ownName,
      ]);
    },
    async stop() {
      await pool.end();
      await server.stop();
    },
  };
}

/** Ends the server without waiting, for when this process has to exit. Does nothing when the server has ended. */
export function killDatabase(home: string): void {
  const pidFile = join(home, "data", "postgres", "postmaster.pid");
  if (existsSync(pidFile)) process.kill(Number(readFileSync(pidFile, "utf8").split("\n")[0]), "SIGINT"); // tells Postgres to shut down fast
}
