import { claimsOf, type Evidence } from "../evidence.ts";
import type { Fault } from "../faults.ts";
import type { JournalLine } from "../journal.ts";
import type { Breach } from "../ledger.ts";

/**
 * How long a stopped worker may still work on a run that another worker has taken over, in milliseconds. The time begins when the stopped
 * worker could continue.
 */
const graceMs = 2_000;
/** The largest difference between two processes that read the same clock, in milliseconds. */
const readingErrorMs = 5;

/**
 * Checks that nodes of an older attempt stop once a newer one is claimed. Only a worker that was stopped or cut off may continue, for at
 * most two seconds.
 */
export function checkLatecomers(evidence: Evidence): { excused: number; breaches: Breach[] } {
  const breaches: Breach[] = [];
  let excused = 0;
  for (const [runId, lines] of evidence.journalOf) {
    const claims = claimsOf(evidence, runId);
    for (const line of lines) {
      const own = claims.find(({ attempt }) => attempt === line.attempt);
      const next = claims.find(({ attempt }) => (attempt ?? 0) > line.attempt);
      if (!own || !next || line.at <= next.at + readingErrorMs) continue;
      if (evidence.faults.some((fault) => excuses(fault, line, own.at, next.at))) excused += 1;
      else {
        const late = Math.round(line.at - next.at);
        const detail = `run ${runId}: "${line.what}" (${line.phase}) of attempt ${line.attempt} ${late} ms after the next was claimed`;
        breaches.push({ rule: "works on", detail });
      }
    }
  }
  return { excused, breaches };
}

function excuses({ kind, pid, at, until = at }: Fault, line: JournalLine, ownedSince: number, lostAt: number): boolean {
  if (until < ownedSince || at > line.at) return false;
  if (kind === "cut connections" || kind === "restart postgres") return line.at <= Math.max(until, lostAt) + graceMs;
  return kind.startsWith("stop") && pid === line.pid && line.at <= until + graceMs;
}
