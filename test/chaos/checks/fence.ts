import type { AuditRow } from "../database.ts";
import type { Evidence } from "../evidence.ts";
import type { Breach } from "../ledger.ts";

interface Holder {
  app: string;
  attempt: number;
}

const writes = ["checkpoint", "write", "unwrite", "effect", "event"];

/**
 * Checks that only the latest claimed attempt writes for a run, until it returns the run. The audit is replayed in its own order, which
 * is the order of the locks.
 */
export function checkFence({ auditOf }: Evidence): Breach[] {
  return [...auditOf].flatMap(([runId, rows]) => (runId === null ? [] : replay(runId, rows)));
}

function replay(runId: string, rows: AuditRow[]): Breach[] {
  const breaches: Breach[] = [];
  const taken = new Set<string>();
  let holder: Holder | undefined;
  for (const row of rows) {
    if (row.what === "claim") {
      if (holder) breaches.push({ rule: "claimed while running", detail: `run ${runId}: ${describe(row)}, held by ${holder.app}` });
      holder = { app: row.app, attempt: row.attempt ?? 0 };
    } else if (row.what === "back" || row.what === "end") holder = undefined;
    else if (isPutBack(row, taken)) taken.delete(keyOf(row));
    else if (writes.includes(row.what)) {
      if (!mayWrite(row, holder)) breaches.push({ rule: "write without right", detail: `run ${runId}: ${describe(row)}, ${held(holder)}` });
    }
    if (row.what === "unwrite") taken.add(keyOf(row));
  }
  return breaches;
}

function mayWrite(row: AuditRow, holder: Holder | undefined): boolean {
  return holder !== undefined && row.app === holder.app && (row.attempt === null || row.attempt === holder.attempt);
}

/**
 * Tells whether this write restores a row that was deleted before. A later run of the thread restores it, so the write needs no right of
 * the run that wrote the row first.
 */
function isPutBack(row: AuditRow, taken: Set<string>): boolean {
  return row.what === "write" && taken.has(keyOf(row));
}

const keyOf = ({ detail }: AuditRow) => `${detail.ns} ${detail.id} ${detail.task} ${detail.idx}`;
const describe = ({ what, app, attempt, seq, detail }: AuditRow) =>
  `${what} by ${app}, attempt ${attempt}, ${JSON.stringify(detail)} (#${seq})`;
const held = (holder: Holder | undefined) => (holder ? `held by ${holder.app} in attempt ${holder.attempt}` : "held by nobody");
