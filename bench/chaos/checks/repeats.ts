import type { AuditRow } from "../database.ts";
import { claimsOf, type Evidence } from "../evidence.ts";
import type { JournalLine } from "../journal.ts";
import type { Breach } from "../ledger.ts";

export interface Repeats {
  /** Work that was done again because nothing of it had been stored: at least once, as is promised. */
  allowed: number;
  /**
   * Tasks inside a subgraph whose writes were stored and whose step was not finished. LangGraph takes up stored writes only where its
   * config has no `checkpoint_id` key, and it gives every subgraph that key, undefined: there the step is begun anew as a whole.
   */
  insideSubgraphs: number;
  breaches: Breach[];
}

/** Work that was stored before a later attempt was claimed is not begun again by it, and no attempt does the same twice. */
export function checkRepeats(evidence: Evidence): Repeats {
  const repeats: Repeats = { allowed: 0, insideSubgraphs: 0, breaches: [] };
  for (const [runId, lines] of evidence.journalOf) {
    const claims = new Map(claimsOf(evidence, runId).map((claim) => [claim.attempt, claim]));
    const rows = evidence.auditOf.get(runId) ?? [];
    for (const work of Map.groupBy(lines, ({ path, what }) => `${path} ${what}`).values()) judge(repeats, work, claims, rows);
  }
  return repeats;
}

function judge(repeats: Repeats, work: JournalLine[], claims: Map<number | null, AuditRow>, rows: AuditRow[]): void {
  const ends = work.filter(({ phase }) => phase === "end");
  for (const begin of work.filter(({ phase }) => phase === "begin")) {
    const before = ends.filter(({ attempt, at }) => attempt < begin.attempt || (attempt === begin.attempt && at < begin.at));
    if (before.length === 0) continue;
    const claim = claims.get(begin.attempt);
    const known = before.map((end) => (end.attempt === begin.attempt ? "checkpoint" : trace(end, rows, claim?.seq ?? 0)));
    const stored = known.indexOf("checkpoint") >= 0 ? known.indexOf("checkpoint") : known.indexOf("write");
    if (stored < 0) repeats.allowed += 1;
    else if (known[stored] === "write" && begin.ns !== "") repeats.insideSubgraphs += 1;
    else {
      const detail = `run ${begin.runId}: "${begin.what}" was stored in attempt ${before[stored]?.attempt} and begun again in ${begin.attempt}`;
      repeats.breaches.push({ rule: "repeated work", detail });
    }
  }
}

/** What was in the database before that moment: a checkpoint that comes after the task's step, or at least the task's own result. */
function trace({ taskId, ns, step }: JournalLine, rows: AuditRow[], before: number): "checkpoint" | "write" | undefined {
  const earlier = rows.filter(({ seq }) => seq < before);
  if (earlier.some(({ what, detail }) => what === "checkpoint" && detail.ns === ns && detail.step >= step)) return "checkpoint";
  return earlier.some(({ what, detail }) => what === "write" && detail.task === taskId && detail.idx >= 0) ? "write" : undefined;
}
