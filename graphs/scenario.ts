import { END, type GraphNode, type LangGraphRunnableConfig, Overwrite, Send, START, StateGraph, StateSchema } from "@langchain/langgraph";
import {
  Aggregation,
  AllScenariosFailed,
  answerWith,
  appending,
  batchesOf,
  beginning,
  closed,
  compare,
  Estimate,
  estimateOf,
  findPatterns,
  forgetSegment,
  gapsOf,
  halved,
  isOver,
  Ledger,
  Mode,
  nextSegment,
  Planned,
  Progress,
  planScenarios,
  recommend,
  remaining,
  report,
  type ScenarioContextInput,
  ScenarioDefinition,
  ScenarioRequests,
  Segment,
  type Skill,
  Sync,
  scenarioContext,
  shortfallsOf,
  skillIn,
  skillName,
  skillsWith,
  syncOf,
  taskState,
  toLabelledResults,
  withDefaults,
  wordsOf,
} from "ensemble/patterns";
import { z } from "zod";

/** The recursion limit. In lockstep mode, a run of many small batches has many steps. Each scenario's time limit bounds them. */
const mostSteps = 100_000;

/** The fields of an input. Every one has a default, so that a value of an earlier run on the thread does not remain. */
const fieldsWith = (SkillName: z.ZodType<string, string>) => ({
  skill: SkillName.nullable()
    .default(null)
    .describe("Skill to run. Without it: the one that the last message names, or data-transformation."),
  mode: Mode.default("free").describe("Where the scenarios wait for each other: nowhere, at milestones, or after every batch"),
  scenarios: ScenarioRequests.default([]).describe("Scenarios to run instead of the skill's own three, or changes to those that run again"),
  seed: z.number().int().min(0).default(1).describe("The same seed generates the same items"),
  rerun: z.array(z.string()).max(10).default([]).describe("Scenarios of the thread's last run to run again. The others are kept."),
});

const stateWith = (fields: ReturnType<typeof fieldsWith>) =>
  new StateSchema({
    ...fields,
    messages: taskState.messages,
    planned: Planned.nullable().default(null).describe("What the run does"),
    definitions: z.array(ScenarioDefinition).default([]).describe("Scenarios as they run"),
    estimate: Estimate.nullable().default(null).describe("Cost as it was expected before the start"),
    progress: Progress,
    segment: Segment.nullable().default(null).describe("Current segment"),
    syncs: appending(Sync, "Where the scenarios met, who was where, and who waited how long"),
    halved: z.boolean().default(false).describe("Set after all scenarios failed and started again with half the load"),
    startedAt: z.number().default(0).describe("Start of the run"),
    report: Aggregation.nullable().default(null).describe("Comparison of the scenarios, and the recommendation for production"),
    ledger: Ledger,
  });

type Schema = ReturnType<typeof stateWith>;
type State = Schema["State"];
type Node = GraphNode<Schema, ScenarioContextInput>;
type Config = Parameters<Node>[1];

/** The options in code: skills of your own, and the context's defaults. */
export interface ScenarioOptions extends Partial<ScenarioContextInput> {
  name?: string;
  skills?: (Skill | (() => Skill))[];
}

const runOf = (config: LangGraphRunnableConfig) => String(config.configurable?.run_id ?? "");

/** Continues all unfinished scenarios together, in one super-step. */
function fanOut({ planned, definitions, segment, progress, ledger, startedAt }: State): Send[] {
  return definitions.flatMap((definition) => {
    const own = progress[definition.name];
    if (!own || isOver(own)) return [];
    const { skill, seed } = planned ?? {};
    return new Send("work", { skill, seed, definition, segment, startedAt, earlier: ledger, progress: { [definition.name]: own } });
  });
}

function goOn(state: State): Send[] | "halve" | "aggregate" {
  if (remaining(state.progress)) return fanOut(state);
  const failed = Object.values(state.progress).every(({ status }) => status === "failed");
  return failed && !state.halved && !state.planned?.rerun.length ? "halve" : "aggregate";
}

/** Runs one skill at three difficulties at once. The scenarios meet where the mode says, and are compared at the end. */
export const scenario = ({ name = "scenario", skills: own = [], ...options }: ScenarioOptions = {}) => {
  const skills = skillsWith(own.map((skill) => (typeof skill === "function" ? skill() : skill)));
  const Context = closed(withDefaults(scenarioContext, options));
  const contextOf = (config: Config) => Context.parse(config.context ?? {});
  const fields = fieldsWith(skillName(skills));
  const Input = closed({ ...fields, messages: z.array(z.unknown()).default([]).describe("Conversation that names a skill") });
  const StateDefinition = stateWith(fields);
  const { definitions, estimate, progress, syncs, messages, report: aggregated, ledger } = StateDefinition.fields;
  const Output = new StateSchema({ definitions, estimate, progress, syncs, messages, report: aggregated, ledger });

  const begin = (definitions: ScenarioDefinition[], mode: Mode, config: Config, kept: State["progress"] = {}) => ({
    definitions,
    progress: new Overwrite(Object.fromEntries(definitions.map((one) => [one.name, kept[one.name] ?? beginning(one, runOf(config))]))),
    segment: nextSegment(mode, contextOf(config).milestones, null),
  });

  /** Plans three scenarios from the skill's own profile or the caller's. It clears what an earlier run left on the thread. */
  const plan: Node = (state, config) => {
    const startedAt = Date.now();
    const asked = { ...state, skill: state.skill ?? skillIn(state.messages, skills) };
    const { planned, definitions, kept } = planScenarios(asked, skills);
    const starting = definitions.filter((one) => !(one.name in kept));
    const estimate = estimateOf(skills.find(planned.skill), starting, contextOf(config));
    const told = starting.map(({ inputSize: items, ...one }) => ({
      name: one.name,
      difficulty: one.difficulty,
      items,
      timeBudgetSeconds: one.timeBudgetSeconds,
    }));
    report(config, "scenario", "plan", startedAt, { ...planned, scenarios: told, estimate });
    const cleared = { syncs: new Overwrite([]), ledger: new Overwrite([]), halved: false, report: null };
    return { ...begin(definitions, planned.mode, config, kept), ...cleared, planned, estimate, startedAt };
  };

  /** Records where each scenario is at the meeting point, and starts the next segment. */
  const meet: Node = ({ planned, segment, progress, startedAt }, config) => {
    if (!segment || !planned) return {};
    forgetSegment(segment.number, config);
    const sync = syncOf(segment, progress);
    const waits = sync.members.map(({ scenario, percent, waitedMs, arrived }) => ({ scenario, percent, waitedMs, arrived }));
    if (remaining(progress)) report(config, "scenario", "sync", startedAt, { milestone: sync.percent, waits });
    return { syncs: [sync], segment: nextSegment(planned.mode, contextOf(config).milestones, segment) };
  };

  /** Retries once with half the batch and half the input when all scenarios have failed. */
  const halve: Node = ({ definitions, planned }, config) => ({
    ...begin(definitions.map(halved), planned?.mode ?? "free", config),
    halved: true,
  });

  const aggregate: Node = ({ planned, definitions, progress, halved, startedAt }, config) => {
    const results = toLabelledResults(skills.find(planned?.skill ?? ""), definitions, progress);
    if (results.every(({ status }) => status !== "success")) throw new AllScenariosFailed(progress, halved);
    const context = contextOf(config);
    const recommendation = recommend(results, context.thresholds);
    report(config, "scenario", "report", startedAt, { recommended: recommendation?.label ?? null });
    const gaps = [...gapsOf(results), ...shortfallsOf(definitions, progress)];
    const parts = { comparison: compare(results, context), patterns: findPatterns(results), recommendation, synthesis: null };
    const aggregation = { ...parts, consensus: [], disagreements: [], gaps };
    return { report: aggregation, messages: answerWith(wordsOf(aggregation)) };
  };

  return new StateGraph({ state: StateDefinition, input: Input, output: Output, context: Context })
    .addNode("plan", plan)
    .addNode("work", batchesOf({ skills, contextOf }))
    .addNode("meet", meet)
    .addNode("halve", halve)
    .addNode("aggregate", aggregate)
    .addEdge(START, "plan")
    .addConditionalEdges("plan", fanOut, ["work"])
    .addEdge("work", "meet")
    .addConditionalEdges("meet", goOn, ["work", "halve", "aggregate"])
    .addConditionalEdges("halve", fanOut, ["work"])
    .addEdge("aggregate", END)
    .compile({ name })
    .withConfig({ recursionLimit: mostSteps });
};

export const graph = scenario();
