import type { LabelledResult } from "../kit/labelled-result.ts";
import { type LedgerEntry, spentIn } from "../kit/ledger.ts";
import { qualityOf, type ScenarioDefinition } from "../skills/definition.ts";
import type { ScenarioProgress } from "./progress.ts";

/** Returns a scenario in the form that the aggregator compares. */
export function toLabelledResult(definition: ScenarioDefinition, progress: ScenarioProgress, ledger: LedgerEntry[]): LabelledResult {
  const { status, reason, items, failedItems, elapsedMs, workMs, quality, errors, measures, scores, memoryMb } = progress;
  const spent = spentIn(ledger.filter(({ agent }) => agent.startsWith(`${definition.name}/`)));
  return {
    label: definition.name,
    status: status === "complete" ? "success" : reason === "timeout" ? "timeout" : "failed",
    items,
    failedItems,
    elapsedMs,
    workMs,
    ...(quality !== null && { quality }),
    errors: errors.map(({ type, message }) => ({ type, message })),
    ...(spent.tokens > 0 && spent),
    traits: { difficulty: definition.difficulty, distribution: definition.dataset, batchSize: String(definition.batchSize) },
    metrics: { ...measures, ...scores, memoryMb },
  };
}

/** Returns the gaps: scenarios below their expected quality. */
export function shortfallsOf(definitions: ScenarioDefinition[], progress: Record<string, ScenarioProgress>): string[] {
  return definitions.flatMap(({ name, expectedQuality }) => {
    const quality = progress[name]?.quality ?? null;
    const expected = qualityOf[expectedQuality];
    return quality !== null && quality < expected
      ? [`${name}: quality ${quality.toFixed(2)} is below ${expectedQuality} (${expected})`]
      : [];
  });
}

export class AllScenariosFailed extends Error {
  override name = "AllScenariosFailedError";

  constructor(progress: Record<string, ScenarioProgress>) {
    const diagnoses = Object.entries(progress).map(([name, one]) => `${name}: ${diagnose(one)}`);
    super(`Every scenario failed, with half of the input too. ${diagnoses.join(" ")}`);
  }
}

function diagnose({ reason, items, totalItems, errors }: ScenarioProgress): string {
  const last = errors.at(-1);
  return `${reason} after ${items} of ${totalItems} items${last ? `; last error in batch ${last.batch}: ${last.type}: ${last.message}` : ""}.`;
}
