import { END, type GraphNode, MessagesValue, Overwrite, Send, START, StateGraph, StateSchema } from "@langchain/langgraph";
import {
  Aggregation,
  answerWith,
  batchesOf,
  beginAll,
  closed,
  Estimate,
  forgetSegment,
  halved,
  isOver,
  Ledger,
  Mode,
  nextSegment,
  patternContext,
  planRun,
  remaining,
  report,
  reportOn,
  runOf,
  type ScenarioContextInput,
  type ScenarioDefinition,
  ScenarioRequests,
  type Skill,
  scenarioContext,
  sideBySide,
  skillName,
  skillsWith,
  syncOf,
  wordsOf,
} from "ensemble/patterns";
import { z } from "zod";

/** The recursion limit. In lockstep mode, a run of many small batches has many steps. Each scenario's time limit bounds them. */
const mostSteps = 100_000;

/** The input of a run. Every field has a default, so that a value of an earlier run on the thread does not remain. */
const fields = {
  skill: z
    .string()
    .nullable()
    .default(null)
    .describe("Skill to run. Without it: the one that the last message names, or data-transformation."),
  mode: Mode.default("free").describe("Where the scenarios wait for each other: nowhere, at milestones, or after every batch"),
  scenarios: ScenarioRequests.default([]).describe("Scenarios to run instead of the skill's own three, or changes to those that run again"),
  seed: z.number().int().min(0).default(1).describe("The same seed generates the same items"),
  rerun: z.array(z.string()).max(10).default([]).describe("Scenarios of the thread's last run to run again. The others are kept."),
};

const State = new StateSchema({
  ...fields,
  ...sideBySide,
  messages: MessagesValue,
  estimate: Estimate.nullable().default(null).describe("Cost as it was expected before the start"),
  report: Aggregation.nullable().default(null).describe("Comparison of the scenarios, and the recommendation for production"),
  ledger: Ledger,
});

const { definitions, estimate, progress, syncs, messages, report: aggregated, ledger } = State.fields;
const Output = new StateSchema({ definitions, estimate, progress, syncs, messages, report: aggregated, ledger });

type State = typeof State.State;
type Node = GraphNode<typeof State, ScenarioContextInput>;
type Config = Parameters<Node>[1];

/** The options in code: skills of your own, and the context's defaults. */
export interface ScenarioOptions extends Partial<ScenarioContextInput> {
  name?: string;
  skills?: (Skill | (() => Skill))[];
}

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
  const skills = skillsWith(own);
  const Context = patternContext(scenarioContext, options);
  const contextOf = (config: Config) => Context.parse(config.context ?? {});
  const skill = skillName(skills, State.fields.skill.description);
  const Input = closed({ ...fields, skill, messages: z.array(z.unknown()).default([]).describe("Conversation that names a skill") });

  const begin = (definitions: ScenarioDefinition[], mode: Mode, config: Config, kept: State["progress"] = {}) => ({
    definitions,
    progress: new Overwrite(beginAll(definitions, runOf(config), kept)),
    segment: nextSegment(mode, contextOf(config).milestones, null),
  });

  /** Plans three scenarios from the skill's own profile or the caller's. It clears what an earlier run left on the thread. */
  const plan: Node = (state, config) => {
    const startedAt = Date.now();
    const { planned, definitions, kept, estimate, outline } = planRun(state, skills, contextOf(config));
    report(config, "scenario", "plan", startedAt, { ...planned, scenarios: outline, estimate });
    const cleared = { syncs: new Overwrite([]), ledger: new Overwrite([]), halved: false, report: null };
    return { ...begin(definitions, planned.mode, config, kept), ...cleared, planned, estimate, startedAt };
  };

  /** Records where each scenario is at the meeting point, and starts the next segment. */
  const meet: Node = ({ planned, segment, progress, startedAt }, config) => {
    if (!segment || !planned) return {};
    forgetSegment(segment.number, config);
    const sync = syncOf(segment, progress);
    if (remaining(progress)) report(config, "scenario", "sync", startedAt, { milestone: sync.percent, waits: sync.members });
    return { syncs: [sync], segment: nextSegment(planned.mode, contextOf(config).milestones, segment) };
  };

  /** Retries once with half the batch and half the input when all scenarios have failed. */
  const halve: Node = ({ definitions, planned }, config) => ({
    ...begin(definitions.map(halved), planned?.mode ?? "free", config),
    halved: true,
  });

  /** Compares the scenarios. It fails when none of them succeeded. */
  const aggregate: Node = ({ planned, definitions, progress, halved, startedAt }, config) => {
    const aggregation = reportOn({ skill: skills.find(planned?.skill ?? ""), definitions, progress, halved, rates: contextOf(config) });
    report(config, "scenario", "report", startedAt, { recommended: aggregation.recommendation?.label ?? null });
    return { report: aggregation, messages: answerWith(wordsOf(aggregation)) };
  };

  return new StateGraph({ state: State, input: Input, output: Output, context: Context })
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
