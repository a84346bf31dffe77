import { END, type GraphNode, type LangGraphRunnableConfig, Overwrite, Send, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { z } from "zod";
import { Aggregation, gapsOf } from "./kit/aggregation.ts";
import { compare } from "./kit/comparison.ts";
import { Ledger } from "./kit/ledger.ts";
import { findPatterns } from "./kit/outcome-patterns.ts";
import { report } from "./kit/progress.ts";
import { recommend } from "./kit/recommendation.ts";
import { appending } from "./kit/state.ts";
import { batches } from "./scenario/batches.ts";
import { Context } from "./scenario/context.ts";
import { AllScenariosFailed, shortfallsOf, toLabelledResult } from "./scenario/outcome.ts";
import { completeScenarios, halved, ScenarioRequests } from "./scenario/plan.ts";
import { beginning, isOver, type ScenarioProgress } from "./scenario/progress.ts";
import { forgetSegment, segmentKey } from "./scenario/side-by-side.ts";
import { Progress, Segment } from "./scenario/state.ts";
import { Mode, nextSegment, remaining, Sync, syncOf } from "./scenario/sync.ts";
import { ScenarioDefinition } from "./skills/definition.ts";
import { findSkill, SkillName } from "./skills/registry.ts";

/** The recursion limit. In lockstep mode, a run of many small batches has many steps. Each scenario's time limit bounds them. */
const mostSteps = 100_000;

const Input = z.object({
  skill: SkillName.default("data-transformation").describe("Skill to run at three difficulties"),
  mode: Mode.default("free").describe("Where the scenarios wait for each other: nowhere, at milestones, or after every batch"),
  scenarios: ScenarioRequests.default([]).describe("Scenarios to run instead of the skill's own three"),
  seed: z.number().int().min(0).default(1).describe("The same seed generates the same items"),
});

const State = new StateSchema({
  ...Input.shape,
  definitions: z
    .array(ScenarioDefinition)
    .default(() => [])
    .describe("Scenarios as they run"),
  progress: Progress,
  segment: Segment.nullable().default(null).describe("Current segment"),
  syncs: appending(Sync, "Where the scenarios met, who was where, and who waited how long"),
  halved: z.boolean().default(false).describe("Set after all scenarios failed and started again with half the load"),
  startedAt: z.number().default(0).describe("Start of the run"),
  report: Aggregation.nullable().default(null).describe("Comparison of the scenarios, and the recommendation for production"),
  ledger: Ledger,
});

const { definitions, progress, syncs, report: finding, ledger } = State.fields;
const Output = new StateSchema({ definitions, progress, syncs, report: finding, ledger });

type State = typeof State.State;
type Node = GraphNode<typeof State, z.input<typeof Context>>;
type Config = Parameters<Node>[1];

const contextOf = (config: Config) => Context.parse(config.context ?? {});
const runOf = (config: LangGraphRunnableConfig) => String(config.configurable?.run_id ?? "");

/** Plans three scenarios from the skill's own profile or the caller's. It clears what an earlier run left on the thread. */
const plan: Node = ({ skill, mode, scenarios, seed }, config) => {
  const startedAt = Date.now();
  const definitions = completeScenarios(findSkill(skill), scenarios);
  const told = definitions.map(({ name, difficulty, inputSize, timeBudgetSeconds }) => ({
    name,
    difficulty,
    items: inputSize,
    timeBudgetSeconds,
  }));
  report(config, "scenario", "plan", startedAt, { skill, mode, seed, scenarios: told });
  return {
    ...begin(definitions, mode, config),
    syncs: new Overwrite([]),
    ledger: new Overwrite([]),
    halved: false,
    report: null,
    startedAt,
  };
};

function begin(definitions: ScenarioDefinition[], mode: Mode, config: Config) {
  const progress = definitions.map(({ name, inputSize }): [string, ScenarioProgress] => [name, beginning(inputSize, runOf(config))]);
  return {
    definitions,
    progress: new Overwrite(Object.fromEntries(progress)),
    segment: nextSegment(mode, contextOf(config).milestones, null),
  };
}

/** Continues all unfinished scenarios together, in one super-step. */
function fanOut({ skill, seed, definitions, segment, progress, ledger, startedAt }: State): Send[] {
  return definitions.flatMap((definition) => {
    const own = progress[definition.name];
    if (!own || isOver(own)) return [];
    return new Send("work", { skill, seed, definition, segment, startedAt, earlier: ledger, progress: { [definition.name]: own } });
  });
}

/** Records where each scenario is at the meeting point, and starts the next segment. */
const meet: Node = ({ mode, segment, progress, startedAt }, config) => {
  if (!segment) return {};
  forgetSegment(segmentKey(runOf(config), segment.number));
  const sync = syncOf(segment, progress);
  const waits = sync.members.map(({ scenario, percent, waitedMs, arrived }) => ({ scenario, percent, waitedMs, arrived }));
  if (remaining(progress)) report(config, "scenario", "sync", startedAt, { milestone: sync.percent, waits });
  return { syncs: [sync], segment: nextSegment(mode, contextOf(config).milestones, segment) };
};

/** Retries once with half the batch and half the input when all scenarios have failed. */
const halve: Node = ({ definitions, mode }, config) => ({ ...begin(definitions.map(halved), mode, config), halved: true });

const aggregate: Node = ({ definitions, progress, ledger, startedAt }, config) => {
  const results = definitions.flatMap((definition) => {
    const own = progress[definition.name];
    return own ? [toLabelledResult(definition, own, ledger)] : [];
  });
  if (results.every(({ status }) => status !== "success")) throw new AllScenariosFailed(progress);
  const { thresholds } = contextOf(config);
  const recommendation = recommend(results, thresholds);
  report(config, "scenario", "report", startedAt, { recommended: recommendation?.label ?? null });
  return {
    report: {
      comparison: compare(results, thresholds),
      patterns: findPatterns(results),
      recommendation,
      synthesis: null,
      gaps: [...gapsOf(results), ...shortfallsOf(definitions, progress)],
    },
  };
};

function goOn(state: State): Send[] | "halve" | "aggregate" {
  if (remaining(state.progress)) return fanOut(state);
  const failed = Object.values(state.progress).every(({ status }) => status === "failed");
  return failed && !state.halved ? "halve" : "aggregate";
}

/** Runs one skill at three difficulties at once. The scenarios meet where the mode says, and are compared at the end. */
export const graph = new StateGraph({ state: State, input: Input, output: Output, context: Context })
  .addNode("plan", plan)
  .addNode("work", batches)
  .addNode("meet", meet)
  .addNode("halve", halve)
  .addNode("aggregate", aggregate)
  .addEdge(START, "plan")
  .addConditionalEdges("plan", fanOut, ["work"])
  .addEdge("work", "meet")
  .addConditionalEdges("meet", goOn, ["work", "halve", "aggregate"])
  .addConditionalEdges("halve", fanOut, ["work"])
  .addEdge("aggregate", END)
  .compile({ name: "scenario" })
  .withConfig({ recursionLimit: mostSteps });
