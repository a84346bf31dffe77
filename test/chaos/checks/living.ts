import type { AuditRow } from "../database.ts";
import type { Evidence } from "../evidence.ts";
import type { Fault } from "../faults.ts";
import type { Breach } from "../ledger.ts";
import { drainSeconds } from "../service.ts";

/**
 * How long a process may take to exit after its drain time, in milliseconds. It may have to abort its runs, and to finish its own start.
 */
const leaveMs = drainSeconds * 1000 + 8_000;
/** How long other processes may still act on old information, in milliseconds. */
const lookMs = 2_000;

/**
 * Checks that runs are taken only from workers that were killed or stopped, not from workers that lost their connections or were asked to
 * leave.
 */
export function checkTheLiving({ auditOf, faults }: Evidence): Breach[] {
  const breaches: Breach[] = faults
    .filter(isLateToLeave)
    .map(({ app }) => ({ rule: "slow drain", detail: `${app} did not leave in time` }));
  for (const [runId, rows] of auditOf) {
    let holder: AuditRow | undefined;
    for (const row of rows) {
      if (row.what === "claim") holder = row;
      if (row.what !== "back" || !holder || row.app === holder.app) continue;
      if (!faults.some((fault) => explains(fault, holder?.app, row.at))) {
        breaches.push({ rule: "taken from the living", detail: `run ${runId} of ${holder.app} by ${row.app} (#${row.seq})` });
      }
    }
  }
  return breaches;
}

function explains({ kind, app, at, until }: Fault, holder: string | undefined, takenAt: number): boolean {
  if (app !== holder || at > takenAt) return false;
  return kind === "kill worker" || (kind.startsWith("stop") && takenAt < (until ?? takenAt) + lookMs);
}

function isLateToLeave({ kind, at, until }: Fault): boolean {
  return kind.startsWith("drain") && (until === undefined || until - at > leaveMs);
}
