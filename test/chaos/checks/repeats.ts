import type { AuditRow } from "../database.ts";
import { claimsOf, type Evidence } from "../evidence.ts";
import type { JournalLine } from "../journal.ts";
import type { Breach } from "../ledger.ts";

export interface Repeats {
  /** Work that was repeated because it was not stored. At-least-once execution allows it. */
  allowed: number;
  breaches: Breach[];
}

/** Checks that no attempt repeats work that was stored before its claim, and that no attempt does the same work twice. */
export function checkRepeats(evidence: Evidence): Repeats {
  const repeats: Repeats = { allowed: 0, breaches: [] };
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
    const stored = before.find((end) => end.attempt === begin.attempt || isStored(end, rows, claim?.seq ?? 0));
    if (!stored) repeats.allowed += 1;
    else {
      const detail = `run ${begin.runId}: "${begin.what}" was stored in attempt ${stored.attempt} and begun again in ${begin.attempt}`;
      repeats.breaches.push({ rule: "repeated work", detail });
    }
  }
}

/** Tells whether the task's result, or a later checkpoint, was in the database before that moment. */
function isStored({ taskId, ns, step }: JournalLine, rows: AuditRow[], before: number): boolean {
  return rows.some(({ what, seq, detail }) => {
    if (seq >= before) return false;
    if (what === "write") return detail.task === taskId && detail.idx >= 0;
    return what === "checkpoint" && detail.ns === ns && detail.step >= step;
  });
}
