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

/**
 * The recursion limit. It is high, because a run in lockstep mode may have many small batches, and each takes steps. The scenarios' time
 * budgets limit a run instead.
 */
const mostSteps = 100_000;

/** The input of a run. Every field has a default, because a field without a value would keep the one from an earlier run on the thread. */
const fields = {
  skill: z.string().nullable().default(null).describe("Skill to run. Default: the one that the last message names."),
  mode: Mode.default("free").describe("Where the scenarios wait for each other: nowhere, at milestones, or after every batch"),
  scenarios: ScenarioRequests.default([]).describe("Scenarios to run instead of the skill's own. With `rerun`: changes to them."),
  seed: z.number().int().min(0).default(1).describe("The same seed generates the same items"),
  rerun: z.array(z.string()).max(10).default([]).describe("Scenarios of the thread's last run to run again. The others are kept."),
};

const State = new StateSchema({
  ...fields,
  ...sideBySide,
  messages: MessagesValue,
  estimate: Estimate.nullable().default(null).describe("Expected cost, computed before the start"),
  report: Aggregation.nullable().default(null).describe("Comparison of the scenarios, and the recommendation for production"),
  ledger: Ledger,
});

const { definitions, estimate, progress, syncs, messages, report: aggregated, ledger } = State.fields;
const Output = new StateSchema({ definitions, estimate, progress, syncs, messages, report: aggregated, ledger });

type State = typeof State.State;
type Node = GraphNode<typeof State, ScenarioContextInput>;
type Config = Parameters<Node>[1];

/** The options in code: skills of your own, and new defaults for the context. */
export interface ScenarioOptions extends Partial<ScenarioContextInput> {
  name?: string;
  skills?: (Skill | (() => Skill))[];
}

/** Lets all unfinished scenarios work until their next meeting point (the end of the segment), in one super-step. */
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

/**
 * Returns a graph that runs one skill in several scenarios of different difficulty at once. The mode says where the scenarios wait for
 * each other. At the end, they are compared.
 */
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

  /**
   * Plans the scenarios, from the skill's own profile or from the caller's list. Clears the values that an earlier run left on the
   * thread.
   */
  const plan: Node = (state, config) => {
    const startedAt = Date.now();
    const { planned, definitions, kept, estimate, outline } = planRun(state, skills, contextOf(config));
    report(config, "scenario", "plan", startedAt, { ...planned, scenarios: outline, estimate });
    const cleared = { syncs: new Overwrite([]), ledger: new Overwrite([]), halved: false, report: null };
    return { ...begin(definitions, planned.mode, config, kept), ...cleared, planned, estimate, startedAt };
  };

  /** Records how far each scenario has come when they meet, and lets them work until the next meeting point. */
  const meet: Node = ({ planned, segment, progress, startedAt }, config) => {
    if (!segment || !planned) return {};
    forgetSegment(segment.number, config);
    const sync = syncOf(segment, progress);
    if (remaining(progress)) report(config, "scenario", "sync", startedAt, { milestone: sync.percent, waits: sync.members });
    return { syncs: [sync], segment: nextSegment(planned.mode, contextOf(config).milestones, segment) };
  };

  /** Starts all scenarios once more after all of them have failed. This time they have half the batch size and half the input. */
  const halve: Node = ({ definitions, planned }, config) => ({
    ...begin(definitions.map(halved), planned?.mode ?? "free", config),
    halved: true,
  });

  /** Compares the scenarios. Throws if none of them succeeded. */
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
