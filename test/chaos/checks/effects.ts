import type { Evidence } from "../evidence.ts";
import type { Breach } from "../ledger.ts";

/** Checks effects. Each is recorded once, was done under one key, and is in the state as it was recorded. */
export function checkEffects({ effects, shownOf, auditOf, journalOf, ledger }: Evidence): Breach[] {
  const paying = ledger.runs.filter(({ kind }) => kind === "effects");
  return paying.flatMap(({ runId, work }) => {
    const breaches: Breach[] = [];
    const recorded = effects.filter((effect) => effect.runId === runId);
    const stored = (auditOf.get(runId) ?? []).filter(({ what }) => what === "effect");
    if (recorded.length !== work.length || stored.length !== work.length) {
      breaches.push({ rule: "effects", detail: `run ${runId}: ${stored.length} stored, ${recorded.length} kept, ${work.length} due` });
    }
    const shown = (shownOf.get(runId) ?? []).toSorted();
    if (
      shown.join() !==
      recorded
        .map(({ result }) => JSON.parse(result))
        .toSorted()
        .join()
    ) {
      breaches.push({ rule: "effects", detail: `run ${runId}: the state shows other receipts than were recorded` });
    }
    const keys = new Set((journalOf.get(runId) ?? []).filter(({ phase }) => phase === "done outside").map(({ what }) => what));
    if (keys.size !== work.length) {
      breaches.push({ rule: "effects", detail: `run ${runId}: ${keys.size} idempotency keys for ${work.length} effects` });
    }
    return breaches;
  });
}
