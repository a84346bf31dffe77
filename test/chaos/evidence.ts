import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AuditRow, Database } from "./database.ts";
import type { Fault } from "./faults.ts";
import { type JournalLine, readJournal } from "./journal.ts";
import type { Ledger } from "./ledger.ts";

/** A row of the service's own table, after all runs have ended. */
export interface RunRow {
  runId: string;
  threadId: string;
  status: string;
  attempt: number;
  crashes: number;
  error: string | null;
}

/** All facts that are visible from outside after all runs have ended. */
export interface Evidence {
  ledger: Ledger;
  faults: Fault[];
  audit: AuditRow[];
  auditOf: Map<string | null, AuditRow[]>;
  journal: JournalLine[];
  journalOf: Map<string, JournalLine[]>;
  runs: Map<string, RunRow>;
  effects: { runId: string; taskId: string; name: string; result: string }[];
  /** The rows of limits that still count running runs. */
  slots: { name: string; key: string; running: number }[];
  /** The receipts of the effects in the threads. */
  shownOf: Map<string, string[]>;
}

export async function gather(database: Database, journalFile: string, ledger: Ledger, faults: Fault[]): Promise<Evidence> {
  const audit = await database.audit();
  const journal = readJournal(journalFile);
  const runs = await database.query<RunRow>(
    `select run_id as "runId", thread_id as "threadId", status, attempt, crashes, error::text from runs`,
  );
  const effects = await database.query<Evidence["effects"][number]>(
    `select run_id as "runId", task_id as "taskId", name, result from effects`,
  );
  const shown = await database.query<{ runId: string; said: string[] }>(
    `select distinct on (run_id) run_id as "runId", "values" -> 'said' as said from effects join runs using (run_id) join threads using (thread_id)
      where runs.status = 'success'`,
  );
  const slots = await database.query<Evidence["slots"][number]>("select name, key, running from limit_slots where running <> 0");
  return {
    ledger,
    faults,
    audit,
    auditOf: Map.groupBy(audit, ({ runId }) => runId),
    journal,
    journalOf: Map.groupBy(journal, ({ runId }) => runId),
    runs: new Map(runs.map((run) => [run.runId, run])),
    effects,
    slots,
    shownOf: new Map(shown.map(({ runId, said }) => [runId, said])),
  };
}

/** Writes the evidence to the folder of the logs, to help find a cause. */
export async function keep(home: string, { audit, faults, ledger }: Evidence): Promise<void> {
  await writeFile(join(home, "audit.jsonl"), audit.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await writeFile(join(home, "faults.json"), JSON.stringify(faults, null, 1));
  await writeFile(join(home, "ledger.json"), JSON.stringify(ledger, null, 1));
}

/** Returns the claims of a run, in order. */
export function claimsOf({ auditOf }: Evidence, runId: string): AuditRow[] {
  return (auditOf.get(runId) ?? []).filter(({ what }) => what === "claim");
}
