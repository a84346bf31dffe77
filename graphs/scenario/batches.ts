import { setTimeout as sleep } from "node:timers/promises";
import { END, type GraphNode, type LangGraphRunnableConfig, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { z } from "zod";
import { closed } from "../agent/closed.ts";
import { BudgetExceeded, enforceBudget, Ledger, LedgerEntry } from "../agent/ledger.ts";
import { report } from "../agent/progress.ts";
import { ScenarioDefinition } from "../skills/definition.ts";
import type { Skills } from "../skills/registry.ts";
import { tryBatch } from "./batch.ts";
import { type ScenarioContext, type ScenarioContextInput, scenarioContext } from "./context.ts";
import { advance, isOver, move, type ScenarioProgress } from "./progress.ts";
import { settle, watchMemory, withQuality } from "./settle.ts";
import { besides, countStored, type SideBySide } from "./side-by-side.ts";
import { Progress, Segment } from "./state.ts";

const State = new StateSchema({
  skill: z.string(),
  seed: z.number(),
  definition: ScenarioDefinition,
  segment: Segment,
  startedAt: z.number().describe("Start of the run, from which events count their time"),
  earlier: z.array(LedgerEntry).describe("Ledger entries from before this segment"),
  progress: Progress,
  ledger: Ledger,
});

const Output = new StateSchema({ progress: State.fields.progress, ledger: State.fields.ledger });

type State = typeof State.State;
type Node = GraphNode<typeof State, ScenarioContextInput>;
type Config = Parameters<Node>[1];

/** The values that the pattern passes in: the skills, and access to the run's context. */
export interface Own {
  skills: Skills;
  contextOf: (config: Config) => ScenarioContext;
}

/** Returns the id of the run. A scenario compares this id with the id in its progress, to detect that another run continues the work. */
export const runOf = (config: LangGraphRunnableConfig) => String(config.configurable?.run_id ?? "");

function progressOf({ progress, definition }: State): ScenarioProgress {
  const own = progress[definition.name];
  if (!own) throw new Error(`The scenario "${definition.name}" was not planned.`);
  return own;
}

/** Moves a scenario from any state to `running`. A new run id means that a person stopped the work, and that this run continues it. */
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

/** Pauses the scenario if it has reached the end of the segment, or if the other scenarios no longer wait for it. */
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

/** Returns the milliseconds for which the other scenarios will still wait for a late scenario. */
function msUntilLate({ limitMs }: Segment, { since, firstArrival = Number.POSITIVE_INFINITY }: SideBySide, waitSeconds: number): number {
  if (limitMs === null) return Number.POSITIVE_INFINITY;
  return Math.min(since + limitMs, firstArrival + waitSeconds * 1000) - Date.now();
}

/** Reports the changes of a scenario as progress events: the batch, new warnings, new milestones, and changes of the state. */
function tell({ definition, startedAt }: State, before: ScenarioProgress, after: ScenarioProgress, config: Config): void {
  const scenario = definition.name;
  const event = (type: string, details: object) => report(config, "scenario", type, startedAt, { scenario, ...details });
  const { status, percent, items, totalItems, quality, batches } = after;
  event("batch", { status, percent, items, totalItems, quality, batch: batches });
  for (const warning of after.warnings.slice(before.warnings.length)) event("warning", { warning, batchSize: after.batchSize });
  for (const reached of after.milestones.slice(before.milestones.length)) event("milestone", reached);
  for (const { from, to, reason } of after.history.slice(before.history.length)) event("state", { from, to, reason });
}

/** Returns the graph that runs one scenario to the end of a segment, batch by batch. */
export function batchesOf({ skills, contextOf }: Own) {
  /** Runs one batch. Each batch is one super-step and therefore one checkpoint, so a finished batch never runs again. */
  const work: Node = async (state, config) => {
    const { definition, seed, earlier, ledger } = state;
    const context = contextOf(config);
    const others = besides(state.segment.number, config);
    countStored(others, definition.name, ledger);
    enforceBudget([...earlier, ...others.account.ended], context.budget);
    const skill = skills.find(state.skill);
    const before = takeUp(progressOf(state), runOf(config));
    const { account } = others;
    const outcome = await tryBatch({ skill, definition, seed, progress: before, context, earlier, account }, config);
    if (outcome.kind === "failed" && outcome.error instanceof BudgetExceeded) throw outcome.error;
    const settled = watchMemory(settle(before, outcome, definition, context.batchRetries), definition, others.baselineMb);
    const after = meet(withQuality(settled, skill, definition), state.segment, others, context.syncWaitSeconds);
    tell(state, before, after, config);
    return { progress: { [definition.name]: after }, ledger: outcome.ledger };
  };

  /** Pauses before a retry. The pause grows with each try. It ends early at the time limit, or when the other scenarios stop waiting. */
  const recover: Node = async (state, config) => {
    const { definition, segment } = state;
    const { retryDelayMs, syncWaitSeconds } = contextOf(config);
    const progress = progressOf(state);
    const leftMs = definition.timeBudgetSeconds * 1000 - progress.elapsedMs;
    const patienceMs = msUntilLate(segment, besides(segment.number, config), syncWaitSeconds);
    const ms = Math.max(0, Math.min(retryDelayMs * 2 ** (progress.tries - 1), leftMs, patienceMs));
    await sleep(ms, undefined, { signal: config.signal });
    return { progress: { [definition.name]: { ...progress, elapsedMs: progress.elapsedMs + ms } } };
  };

  return new StateGraph({ state: State, output: Output, context: closed(scenarioContext) })
    .addNode("work", work)
    .addNode("recover", recover)
    .addEdge(START, "work")
    .addConditionalEdges("work", next, ["work", "recover", END])
    .addEdge("recover", "work")
    .compile({ name: "batches" });
}

function next(state: State): "work" | "recover" | typeof END {
  const { status, reason } = progressOf(state);
  if (status === "running") return "work";
  return reason === "waiting_for_recovery" ? "recover" : END;
}
