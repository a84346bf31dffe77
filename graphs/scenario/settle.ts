import { spentIn } from "../agent/ledger.ts";
import type { ScenarioDefinition, Target } from "../skills/definition.ts";
import type { Skill } from "../skills/skill.ts";
import type { BatchOutcome } from "./batch.ts";
import { smallestBatch } from "./plan.ts";
import { advance, isOver, move, type ScenarioProgress } from "./progress.ts";
import { usedMb } from "./side-by-side.ts";

/** The maximum number of failed items of one batch that are recorded with their errors. */
const mostItemErrors = 20;
/** The share of the memory limit above which batches become smaller. */
const memoryWarning = 0.8;

/** Returns the progress of a scenario after the outcome of a batch. */
export function settle(
  progress: ScenarioProgress,
  outcome: BatchOutcome,
  definition: ScenarioDefinition,
  retries: number,
): ScenarioProgress {
  const { tokens, dollars } = spentIn(outcome.ledger);
  const elapsedMs = progress.elapsedMs + outcome.elapsedMs;
  const spent = { ...progress, elapsedMs, tokens: progress.tokens + tokens, dollars: progress.dollars + dollars };
  if (outcome.kind === "done") {
    const { results, failed, workMs, size, available } = outcome;
    const noted = failed
      .slice(0, mostItemErrors)
      .reduce((before, { index, error }) => withItemError(before, progress.items + progress.failedItems + index, error), spent);
    const totalItems = Math.min(progress.totalItems, available);
    const done = advance(
      { ...noted, totalItems, results: [...progress.results, ...results], workMs: progress.workMs + workMs },
      { items: size - failed.length, failedItems: failed.length },
    );
    // A skill that computes without a pause cannot notice its deadline. If it finishes late, its results are kept, but the scenario has
    // timed out.
    return isOverTime(done, definition) ? timeOut(done, definition) : finish(done, definition);
  }
  if (outcome.kind === "late") return timeOut(spent, definition);
  const noted = withError(spent, outcome.error.name, outcome.error.message);
  if (progress.tries < retries) return move({ ...noted, tries: progress.tries + 1 }, "paused", "waiting_for_recovery");
  return finish(advance(noted, { failedItems: outcome.size }), definition);
}

const isOverTime = ({ elapsedMs }: ScenarioProgress, { timeBudgetSeconds }: ScenarioDefinition) => elapsedMs > timeBudgetSeconds * 1000;

function timeOut(progress: ScenarioProgress, { timeBudgetSeconds }: ScenarioDefinition): ScenarioProgress {
  return move(withError(progress, "TimeoutError", `The time budget of ${timeBudgetSeconds} s is used up.`), "failed", "timeout");
}

function withItemError(progress: ScenarioProgress, item: number, error: Error | string): ScenarioProgress {
  const { name, message } = typeof error === "string" ? new Error(error) : error;
  return withError(progress, name, `Item ${item}: ${message}`);
}

function withError(progress: ScenarioProgress, type: string, message: string): ScenarioProgress {
  return { ...progress, errors: [...progress.errors, { batch: progress.batches, type, message: message.slice(0, 1_000) }] };
}

function finish(progress: ScenarioProgress, { errorTolerance }: ScenarioDefinition): ScenarioProgress {
  const { failedItems, items, totalItems } = progress;
  if (failedItems > errorTolerance * totalItems) return move(progress, "failed", `${failedItems} of ${totalItems} items failed`);
  return items + failedItems >= totalItems ? move(progress, "complete", "all items were worked on") : progress;
}

/**
 * Computes the scores, the measurements and the quality of all results so far, and adds them to the progress. The quality is the mean of
 * the scores that `qualityMetrics` names, or of all scores if it names none.
 */
export function withQuality(progress: ScenarioProgress, skill: Skill, definition: ScenarioDefinition): ScenarioProgress {
  if (progress.results.length === 0) return progress;
  const { qualityMetrics } = definition;
  const params = skill.params.parse(definition.skillParams);
  const worked = { params, failed: progress.failedItems };
  const results = progress.results.map((result) => skill.result.parse(result));
  const measures = skill.measure(results, worked);
  const own = skill.score(results, worked);
  const functional = functionalScore(definition.targets ?? skill.targets(params), { ...measures, ...own });
  const scores = { ...own, ...(functional !== null && { functional }) };
  const counting = Object.entries(scores).flatMap(([name, score]) =>
    qualityMetrics.length === 0 || qualityMetrics.includes(name) ? [score] : [],
  );
  const quality = counting.length > 0 ? counting.reduce((sum, score) => sum + score, 0) / counting.length : null;
  return { ...progress, scores, quality, measures };
}

/** Returns the weighted share of the targets that are reached. Targets without a measured figure are ignored. */
function functionalScore(targets: Target[], figures: Record<string, number>): number | null {
  const known = targets.flatMap((target) => {
    const { [target.metric]: value } = figures;
    return value === undefined ? [] : [{ weight: target.weight ?? 1, isReached: reaches(value, target) }];
  });
  const total = known.reduce((sum, { weight }) => sum + weight, 0);
  return total === 0 ? null : known.reduce((sum, { weight, isReached }) => sum + (isReached ? weight : 0), 0) / total;
}

const reaches = (value: number, { above, atLeast, below }: Target) =>
  (above === undefined || value > above) && (atLeast === undefined || value >= atLeast) && (below === undefined || value < below);

/** Records the memory that the process has added since it began to work on the segment. Halves the batch size near the memory limit. */
export function watchMemory(progress: ScenarioProgress, definition: ScenarioDefinition, baselineMb: number): ScenarioProgress {
  const added = Math.max(0, usedMb() - baselineMb);
  const seen = { ...progress, memoryMb: Math.max(progress.memoryMb, added) };
  const { memoryLimitMb, inputSize } = definition;
  const batchSize = Math.max(smallestBatch(inputSize), Math.floor(progress.batchSize / 2));
  if (added <= memoryWarning * memoryLimitMb || isOver(progress) || batchSize >= progress.batchSize) return seen;
  const warning = `${added} MB of ${memoryLimitMb} MB are used after batch ${progress.batches}; batches go on with ${batchSize} items.`;
  return { ...seen, batchSize, warnings: [...progress.warnings, warning] };
}
