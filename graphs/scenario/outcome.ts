import { type Aggregation, gapsOf } from "../aggregator/aggregation.ts";
import { compare, type Rates } from "../aggregator/comparison.ts";
import type { LabelledResult } from "../aggregator/labelled-result.ts";
import { findPatterns } from "../aggregator/outcome-patterns.ts";
import { recommend } from "../aggregator/recommendation.ts";
import { qualityOf, type ScenarioDefinition } from "../skills/definition.ts";
import type { Skill } from "../skills/skill.ts";
import type { ScenarioProgress } from "./progress.ts";

interface Finished {
  skill: Skill;
  definitions: ScenarioDefinition[];
  progress: Record<string, ScenarioProgress>;
  /** Whether the scenarios ran with half of their load. */
  halved: boolean;
  rates: Rates;
}

/** Returns the report that compares the scenarios of a run. Throws if none of them succeeded. */
export function reportOn({ skill, definitions, progress, halved, rates }: Finished): Aggregation {
  const results = toLabelledResults(skill, definitions, progress);
  if (results.every(({ status }) => status !== "success")) throw new AllScenariosFailed(progress, halved);
  return {
    comparison: compare(results, rates),
    patterns: findPatterns(results),
    recommendation: recommend(results, rates.thresholds),
    synthesis: null,
    consensus: [], // results from loads of different sizes neither agree nor contradict each other
    disagreements: [],
    gaps: [...gapsOf(results), ...shortfallsOf(definitions, progress)],
  };
}

/** Returns the scenarios as labelled results for the aggregator. */
function toLabelledResults(skill: Skill, definitions: ScenarioDefinition[], progress: Record<string, ScenarioProgress>): LabelledResult[] {
  const smallest = Math.min(...Object.values(progress).map(({ totalItems }) => totalItems));
  return definitions.flatMap((definition) => {
    const own = progress[definition.name];
    if (!own) return [];
    const expected = { expectedTime: skill.growth(own.totalItems / smallest), workPerItem: skill.work(definition.complexityMultiplier) };
    return { ...toLabelledResult(definition, own), ...expected };
  });
}

function toLabelledResult(definition: ScenarioDefinition, progress: ScenarioProgress): LabelledResult {
  const { status, reason, items, failedItems, elapsedMs, workMs, quality, errors, measures, scores, memoryMb, tokens, dollars } = progress;
  return {
    label: definition.name,
    status: status === "complete" ? "success" : reason === "timeout" ? "timeout" : "failed",
    items,
    failedItems,
    elapsedMs,
    workMs,
    ...(quality !== null && { quality }),
    errors: errors.map(({ type, message }) => ({ type, message })),
    ...(tokens > 0 && { tokens, dollars }),
    expectedQuality: qualityOf[definition.expectedQuality],
    findings: [],
    traits: { difficulty: definition.difficulty, distribution: definition.dataset, batchSize: String(progress.batchSize) },
    metrics: { ...measures, ...scores, memoryMb },
  };
}

/** Returns a line for each scenario whose quality is below the expected quality. */
function shortfallsOf(definitions: ScenarioDefinition[], progress: Record<string, ScenarioProgress>): string[] {
  return definitions.flatMap(({ name, expectedQuality }) => {
    const quality = progress[name]?.quality ?? null;
    const expected = qualityOf[expectedQuality];
    return quality !== null && quality < expected
      ? [`${name}: quality ${quality.toFixed(2)} is below ${expectedQuality} (${expected})`]
      : [];
  });
}

class AllScenariosFailed extends Error {
  override name = "AllScenariosFailedError";

  constructor(progress: Record<string, ScenarioProgress>, isHalved: boolean) {
    const diagnoses = Object.entries(progress).map(([name, one]) => `${name}: ${diagnose(one)}`);
    super(`Every scenario failed${isHalved ? ", with half of the input too" : ""}. ${diagnoses.join(" ")}`);
  }
}

function diagnose({ reason, items, totalItems, errors }: ScenarioProgress): string {
  const last = errors.at(-1);
  return `${reason} after ${items} of ${totalItems} items${last ? `; last error in batch ${last.batch}: ${last.type}: ${last.message}` : ""}.`;
}
