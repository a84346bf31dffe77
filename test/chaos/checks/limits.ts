import { readFileSync } from "node:fs";
import type { Evidence } from "../evidence.ts";
import type { Breach } from "../ledger.ts";

interface Limit {
  total?: number;
  perKey?: number;
}

const { ensemble } = JSON.parse(readFileSync(new URL("../langgraph.json", import.meta.url), "utf8"));
const limits: Record<string, Limit> = ensemble.queues.limits;

/**
 * Checks the limits in the order of the audit: no limit was exceeded at any time, and no slot is left over. The audit notes the end of a run
 * before its slot is free, so a claim of the free slot always comes later.
 */
export function checkLimits({ audit, slots }: Evidence): Breach[] {
  const breaches: Breach[] = [];
  const running = new Map<string, { holds: string[]; key: string | null }>();
  for (const { what, runId, detail, seq } of audit) {
    if (runId === null) continue;
    if (what === "back" || what === "end") running.delete(runId);
    if (what !== "claim") continue;
    running.set(runId, { holds: detail.holds ?? [], key: detail.key ?? null });
    for (const name of detail.holds ?? []) {
      const own = [...running.values()].filter(({ holds }) => holds.includes(name));
      const { total = Number.POSITIVE_INFINITY, perKey = Number.POSITIVE_INFINITY } = limits[name] ?? {};
      const ofKey = own.filter(({ key }) => key !== null && key === detail.key).length;
      if (own.length > total || ofKey > perKey)
        breaches.push({ rule: "limit exceeded", detail: `${name}: ${own.length} runs, ${ofKey} of ${detail.key} (#${seq})` });
    }
  }
  if (!audit.some(({ what, detail }) => what === "claim" && (detail.holds ?? []).length > 0))
    breaches.push({ rule: "limits", detail: "no run held a slot, so the limits were not tried" });
  return [...breaches, ...slots.map(({ name, key, running }) => ({ rule: "slot leaked", detail: `${name} ${key}: ${running}` }))];
}
