import type { AuditRow } from "./database.ts";
import type { Evidence } from "./evidence.ts";
import type { Fault } from "./faults.ts";

/** The effects of one kind of fault. */
export interface Takeover {
  faults: number;
  /** How long each affected run stood still, in milliseconds. */
  times: number[];
}

export type Takeovers = Map<string, Takeover>;

/**
 * How many milliseconds after a cut of all connections workers ignore the free lock of another worker. A worker that is killed in this time
 * is detected late.
 */
const unsettledMs = 6_000;

/** Returns the time from each fault to the first new event of every run that the victim was working on. */
export function measureTakeovers(evidence: Evidence): Takeovers {
  const takeovers: Takeovers = new Map();
  for (const fault of evidence.faults) {
    const name = nameOf(fault, evidence.faults);
    const takeover = takeovers.get(name) ?? { faults: 0, times: [] };
    takeovers.set(name, takeover);
    takeover.faults += 1;
    takeover.times.push(...timesOf(evidence, fault));
  }
  return takeovers;
}

function timesOf({ auditOf }: Evidence, fault: Fault): number[] {
  return [...auditOf].flatMap(([runId, rows]) => {
    const held = runId === null ? undefined : holderAt(rows, fault.at);
    if (!held || (fault.app !== undefined && held.app !== fault.app)) return [];
    return goesOnAfter(rows, fault, held.attempt ?? 0) ?? [];
  });
}

function nameOf({ kind, at }: Fault, faults: Fault[]): string {
  if (kind !== "kill worker") return kind;
  const cuts = faults.filter((fault) => fault.kind === "cut connections" || fault.kind === "restart postgres");
  const unsettled = cuts.some((cut) => cut.at < at && at < (cut.until ?? cut.at) + unsettledMs);
  return unsettled ? `${kind} soon after a cut` : kind;
}

/** Returns the claim by which a worker held the run at a time. Returns undefined if no worker held it. */
function holderAt(rows: AuditRow[], at: number): AuditRow | undefined {
  const last = rows.findLast((row) => row.at < at && ["claim", "back", "end"].includes(row.what));
  return last?.what === "claim" ? last : undefined;
}

/**
 * Returns the time of the next event after a fault. If the fault stops the worker, only an event of a newer attempt counts. If it stops the
 * database, any event counts. Returns undefined if the run ended before such an event.
 */
function goesOnAfter(rows: AuditRow[], { kind, at }: Fault, attempt: number): number | undefined {
  const after = rows.filter((row) => row.at > at);
  const sameMayGoOn = kind === "cut connections" || kind === "restart postgres" || kind === "stop worker, short";
  const claim = sameMayGoOn ? after[0] : after.find((row) => row.what === "claim" && (row.attempt ?? 0) > attempt);
  const event = claim && after.find(({ what, seq }) => seq >= claim.seq && (what === "event" || what === "end"));
  return event && event.at - at;
}
