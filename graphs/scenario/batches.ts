import { setTimeout as sleep } from "node:timers/promises";
import { END, type GraphNode, type LangGraphRunnableConfig, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { z } from "zod";
import { BudgetExceeded, enforceBudget, Ledger, LedgerEntry } from "../kit/ledger.ts";
import { report } from "../kit/progress.ts";
import { ScenarioDefinition } from "../skills/definition.ts";
import { findSkill } from "../skills/registry.ts";
import type { Skill } from "../skills/skill.ts";
import { type BatchOutcome, tryBatch } from "./batch.ts";
import { Context } from "./context.ts";
import { advance, isOver, move, type ScenarioProgress } from "./progress.ts";
import { besides, countStored, type SideBySide, segmentKey } from "./side-by-side.ts";
import { Progress, Segment } from "./state.ts";

const State = new StateSchema({
  skill: z.string(),
  seed: z.number(),
  definition: ScenarioDefinition,
  segment: Segment,
  startedAt: z.number().describe("Start of the run, for the events"),
  earlier: z.array(LedgerEntry).describe("Ledger entries before this segment"),
  progress: Progress,
  ledger: Ledger,
});

const Output = new StateSchema({ progress: State.fields.progress, ledger: State.fields.ledger });

type State = typeof State.State;
type Node = GraphNode<typeof State, z.input<typeof Context>>;
type Config = Parameters<Node>[1];

const contextOf = (config: Config) => Context.parse(config.context ?? {});
const runOf = (config: LangGraphRunnableConfig) => String(config.configurable?.run_id ?? "");

function progressOf({ progress, definition }: State): ScenarioProgress {
  const own = progress[definition.name];
  if (!own) throw new Error(`The scenario "${definition.name}" was not planned.`);
  return own;
}

/** Runs one batch as one super-step, and therefore one checkpoint. A finished batch never runs again. */
const work: Node = async (state, config) => {
  const { definition, seed, earlier, ledger } = state;
  const context = contextOf(config);
  const others = besides(segmentKey(runOf(config), state.segment.number));
  countStored(others, definition.name, ledger);
  enforceBudget([...earlier, ...others.ledger], context.budget);
  const skill = findSkill(state.skill);
  const before = takeUp(progressOf(state), runOf(config));
  const call = { skill, definition, seed, progress: before, context, earlier, meanwhile: others.ledger };
  const outcome = await tryBatch(call, config);
  if (outcome.kind === "failed" && outcome.error instanceof BudgetExceeded) throw outcome.error;
  const worked = withQuality(settle(before, outcome, definition, context.batchRetries), skill, definition);
  const after = meet(worked, state.segment, others, context.syncWaitSeconds);
  tell(state, before, after, config);
  return { progress: { [definition.name]: after }, ledger: outcome.ledger };
};

/** Moves a scenario to running from any state. A different run id means that a person had stopped the work in between. */
function takeUp(progress: ScenarioProgress, runId: string): ScenarioProgress {
  if (progress.status === "pending") return move({ ...advance(progress, {}), batches: 0, runId }, "running", "started");
  if (progress.runId !== runId) {
    const halted = progress.status === "running" ? move(progress, "paused", "user_halt") : progress;
    return move({ ...halted, runId }, "running", "resumed");
  }
  return progress.status === "paused"
    ? move(progress, "running", progress.reason === "sync_point" ? "synchronised" : "recovered")
    : progress;
}

/** Applies a batch's outcome to its scenario. */
function settle(progress: ScenarioProgress, outcome: BatchOutcome, definition: ScenarioDefinition, retries: number): ScenarioProgress {
  const memoryMb = Math.max(progress.memoryMb, Math.round(process.memoryUsage.rss() / 2 ** 20));
  const spent = { ...progress, elapsedMs: progress.elapsedMs + outcome.elapsedMs, memoryMb };
  if (outcome.kind === "done") {
    const { results, workMs, size, available } = outcome;
    const totalItems = Math.min(progress.totalItems, available);
    const done = advance(
      { ...spent, totalItems, results: [...progress.results, ...results], workMs: progress.workMs + workMs },
      { items: size },
    );
    // A skill that computes without a pause cannot notice its deadline. Its results stay, but it still counts as too late.
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

function withError(progress: ScenarioProgress, type: string, message: string): ScenarioProgress {
  return { ...progress, errors: [...progress.errors, { batch: progress.batches, type, message: message.slice(0, 1_000) }] };
}

function finish(progress: ScenarioProgress, { errorTolerance }: ScenarioDefinition): ScenarioProgress {
  const { failedItems, items, totalItems } = progress;
  if (failedItems > errorTolerance * totalItems) return move(progress, "failed", `${failedItems} of ${totalItems} items failed`);
  return items + failedItems >= totalItems ? move(progress, "complete", "all items were worked on") : progress;
}

function withQuality(progress: ScenarioProgress, skill: Skill, { qualityMetrics }: ScenarioDefinition): ScenarioProgress {
  if (progress.results.length === 0) return progress;
  const results = progress.results.map((result) => skill.result.parse(result));
  const scores = skill.score(results);
  const counting = Object.entries(scores).flatMap(([name, score]) =>
    qualityMetrics.length === 0 || qualityMetrics.includes(name) ? [score] : [],
  );
  const quality = counting.length > 0 ? counting.reduce((sum, score) => sum + score, 0) / counting.length : null;
  return { ...progress, scores, quality, measures: skill.measure(results) };
}

/** Pauses the scenario at the end of the segment until the others arrive. */
function meet(progress: ScenarioProgress, segment: Segment, others: SideBySide, waitSeconds: number): ScenarioProgress {
  const arrivedAt = Date.now();
  const arrived = progress.status === "complete" || progress.percent >= segment.percent || segment.oneBatch;
  const recovering = progress.reason === "waiting_for_recovery";
  if (arrived && !recovering && progress.status !== "failed") others.firstArrival ??= arrivedAt;
  if (isOver(progress)) return { ...progress, arrivedAt };
  const late = msUntilLate(segment, others, waitSeconds) <= 0;
  if (recovering) return late ? { ...progress, reason: "sync_point", arrivedAt } : progress;
  return arrived || late ? { ...move(progress, "paused", "sync_point"), arrivedAt } : progress;
}

/** Returns how long the others will still wait for a scenario that has not arrived. */
function msUntilLate({ limitMs }: Segment, { since, firstArrival = Number.POSITIVE_INFINITY }: SideBySide, waitSeconds: number): number {
  if (limitMs === null) return Number.POSITIVE_INFINITY;
  return Math.min(since + limitMs, firstArrival + waitSeconds * 1000) - Date.now();
}

/** Reports every change that a person wants to see. */
function tell({ definition, startedAt }: State, before: ScenarioProgress, after: ScenarioProgress, config: Config): void {
  const scenario = definition.name;
  const event = (type: string, details: object) => report(config, "scenario", type, startedAt, { scenario, ...details });
  const { status, percent, items, totalItems, quality, batches } = after;
  event("batch", { status, percent, items, totalItems, quality, batch: batches });
  for (const reached of after.milestones.slice(before.milestones.length)) event("milestone", reached);
  for (const { from, to, reason } of after.history.slice(before.history.length)) event("state", { from, to, reason });
}

/** Returns the pause before a retry. It grows with each try, within the time limit and the others' patience. */
const recover: Node = async (state, config) => {
  const { definition, segment } = state;
  const { retryDelayMs, syncWaitSeconds } = contextOf(config);
  const progress = progressOf(state);
  const leftMs = definition.timeBudgetSeconds * 1000 - progress.elapsedMs;
  const patienceMs = msUntilLate(segment, besides(segmentKey(runOf(config), segment.number)), syncWaitSeconds);
  const ms = Math.max(0, Math.min(retryDelayMs * 2 ** (progress.tries - 1), leftMs, patienceMs));
  await sleep(ms, undefined, { signal: config.signal });
  return { progress: { [definition.name]: { ...progress, elapsedMs: progress.elapsedMs + ms } } };
};

function next(state: State): "work" | "recover" | typeof END {
  const { status, reason } = progressOf(state);
  if (status === "running") return "work";
  return reason === "waiting_for_recovery" ? "recover" : END;
}

/** Runs one scenario on one segment, batch by batch. */
export const batches = new StateGraph({ state: State, output: Output, context: Context })
  .addNode("work", work)
  .addNode("recover", recover)
  .addEdge(START, "work")
  .addConditionalEdges("work", next, ["work", "recover", END])
  .addEdge("recover", "work")
  .compile({ name: "batches" });
