import type { AuditRow } from "../database.ts";
import type { Evidence } from "../evidence.ts";
import type { Breach, Sight } from "../ledger.ts";

/** Checks that every client received every event of its run once and in order, and nothing else. The log itself must have no gap. */
export function checkStreams({ auditOf, ledger }: Evidence): Breach[] {
  return ledger.sights.flatMap((sight) => checkSight(sight, auditOf.get(sight.runId) ?? []));
}

function checkSight({ runId, eventIds }: Sight, rows: AuditRow[]): Breach[] {
  const logged = rows.filter(({ what }) => what === "event").map(({ detail }) => Number(detail.id));
  const gap = logged.findIndex((id, index) => id !== index);
  if (gap >= 0) return [{ rule: "log with a gap", detail: `run ${runId}: event ${logged[gap]} stands where ${gap} should` }];
  const wrong = eventIds.findIndex((id, index) => id !== index);
  if (wrong >= 0) return [{ rule: "stream", detail: `run ${runId}: a client got event ${eventIds[wrong]} where ${wrong} was next` }];
  if (eventIds.length === logged.length) return [];
  return [{ rule: "stream", detail: `run ${runId}: a client got ${eventIds.length} of ${logged.length} events` }];
}
