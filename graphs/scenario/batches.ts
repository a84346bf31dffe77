import { setTimeout as sleep } from "node:timers/promises";
import { END, type GraphNode, type LangGraphRunnableConfig, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { z } from "zod";
import { BudgetExceeded, enforceBudget, Ledger, LedgerEntry } from "../kit/ledger.ts";
import { report } from "../kit/progress.ts";
import { ScenarioDefinition } from "../skills/definition.ts";
import { findSkill } from "../skills/registry.ts";
import type { Skill } from "../skills/skill.ts";
import { firstArrival, noteArrival, segmentKey } from "./arrivals.ts";
import { type BatchOutcome, tryBatch } from "./batch.ts";
import { Context } from "./context.ts";
import { advance, isOver, move, type ScenarioProgress } from "./progress.ts";
import { Progress, Segment } from "./state.ts";

const State = new StateSchema({
  skill: z.string(),
  seed: z.number(),
  definition: ScenarioDefinition,
  segment: Segment,
  startedAt: z.number().describe("When the run began, for the events"),
  earlier: z.array(LedgerEntry).describe("What was spent before this segment"),
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

/** One batch, which is one super-step and so one checkpoint: a batch that has finished is never run again. */
const work: Node = async (state, config) => {
  const { definition, seed, earlier, ledger } = state;
  const context = contextOf(config);
  enforceBudget([...earlier, ...ledger], context.budget);
  const skill = findSkill(state.skill);
  const before = takeUp(progressOf(state), runOf(config));
  const outcome = await tryBatch({ skill, definition, seed, progress: before, context }, config);
  if (outcome.kind === "failed" && outcome.error instanceof BudgetExceeded) throw outcome.error;
  const worked = withQuality(settle(before, outcome, definition, context.batchRetries), skill, definition);
  const after = meet(worked, state, config, outcome.kind);
  tell(state, before, after, config);
  return { progress: { [definition.name]: after }, ledger: outcome.ledger };
};

/** From whatever it was doing to work. A run that is not the one before it means that a person had stopped the work in between. */
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

/** What a batch's outcome means for its scenario. */
function settle(progress: ScenarioProgress, outcome: BatchOutcome, definition: ScenarioDefinition, retries: number): ScenarioProgress {
  const memoryMb = Math.max(progress.memoryMb, Math.round(process.memoryUsage.rss() / 2 ** 20));
  const spent = { ...progress, elapsedMs: progress.elapsedMs + outcome.elapsedMs, memoryMb };
  if (outcome.kind === "done") {
    const { results, workMs, size, available } = outcome;
    const totalItems = Math.min(progress.totalItems, available);
    const done = { ...spent, totalItems, results: [...progress.results, ...results], workMs: progress.workMs + workMs };
    return finish(advance(done, { items: size }), definition);
  }
  if (outcome.kind === "late") {
    const message = `The time budget of ${definition.timeBudgetSeconds} s is used up.`;
    return move(withError(spent, "TimeoutError", message), "failed", "timeout");
  }
  const noted = withError(spent, outcome.error.name, outcome.error.message);
  if (progress.tries < retries) return move({ ...noted, tries: progress.tries + 1 }, "paused", "waiting_for_recovery");
  return finish(advance(noted, { failedItems: outcome.size }), definition);
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

/** Where the segment ends for this scenario, it pauses until the others have come too. */
function meet(progress: ScenarioProgress, { segment }: State, config: Config, kind: BatchOutcome["kind"]): ScenarioProgress {
  if (progress.reason === "waiting_for_recovery") return progress;
  const key = segmentKey(runOf(config), segment.number);
  const arrived = progress.percent >= segment.percent || segment.oneBatch;
  if (isOver(progress)) {
    if (kind === "done") noteArrival(key);
    return { ...progress, arrivedAt: Date.now() };
  }
  if (arrived) noteArrival(key);
  else if (!isLate(segment, key, contextOf(config).syncWaitSeconds)) return progress;
  return { ...move(progress, "paused", "sync_point"), arrivedAt: Date.now() };
}

/** The others have waited long enough. */
function isLate({ startedAt, limitMs }: Segment, key: string, waitSeconds: number): boolean {
  if (limitMs === null) return false;
  const first = firstArrival(key);
  return Date.now() > Math.min(startedAt + limitMs, first === undefined ? Number.POSITIVE_INFINITY : first + waitSeconds * 1000);
}

/** Everything of it that a person would want to see. */
function tell({ definition, startedAt }: State, before: ScenarioProgress, after: ScenarioProgress, config: Config): void {
  const scenario = definition.name;
  const event = (type: string, details: object) => report(config, "scenario", type, startedAt, { scenario, ...details });
  const { status, percent, items, totalItems, quality, batches } = after;
  event("batch", { status, percent, items, totalItems, quality, batch: batches });
  for (const reached of after.milestones.slice(before.milestones.length)) event("milestone", reached);
  for (const { from, to, reason } of after.history.slice(before.history.length)) event("state", { from, to, reason });
}

/** A pause before the batch is tried again, longer each time. */
const recover: Node = async (state, config) => {
  const progress = progressOf(state);
  const ms = contextOf(config).retryDelayMs * 2 ** (progress.tries - 1);
  await sleep(ms, undefined, { signal: config.signal });
  return { progress: { [state.definition.name]: { ...progress, elapsedMs: progress.elapsedMs + ms } } };
};

function next(state: State): "work" | "recover" | typeof END {
  const { status, reason } = progressOf(state);
  if (status === "running") return "work";
  return reason === "waiting_for_recovery" ? "recover" : END;
}

/** One scenario on one segment of its way, batch by batch. */
export const batches = new StateGraph({ state: State, output: Output, context: Context })
  .addNode("work", work)
  .addNode("recover", recover)
  .addEdge(START, "work")
  .addConditionalEdges("work", next, ["work", "recover", END])
  .addEdge("recover", "work")
  .compile({ name: "batches" });
