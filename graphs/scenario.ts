import { END, type GraphNode, Overwrite, Send, START, StateGraph } from "@langchain/langgraph";
import {
  answerWith,
  batchesOf,
  beginAll,
  closed,
  forgetSegment,
  guarded,
  halved,
  isOver,
  type Mode,
  measured,
  nextSegment,
  patternContext,
  planRun,
  remaining,
  report,
  reportOn,
  runOf,
  type ScenarioContextInput,
  type ScenarioDefinition,
  type Skill,
  scenarioContext,
  skillName,
  skillsWith,
  syncOf,
  wordsOf,
} from "ensemble/patterns";
import { z } from "zod";
import { apart } from "./scenario/apart.ts";
import { fields, judgeInput, Output, State } from "./scenario/run-state.ts";

/**
 * The recursion limit. It is high, because a run in lockstep mode may have many small batches, and each batch takes several steps. The time
 * budgets of the scenarios limit a run instead.
 */
const mostSteps = 100_000;

type Node = GraphNode<typeof State, ScenarioContextInput>;
type Config = Parameters<Node>[1];

/** The options of `scenario`: skills of your own, and defaults for the context of a run. */
export interface ScenarioOptions extends Partial<ScenarioContextInput> {
  name?: string;
  skills?: (Skill | (() => Skill))[];
}

/** Starts the next segment of all unfinished scenarios in one super-step. With `spread`, each scenario has a run of its own. */
function fanOut({ planned, definitions, segment, progress, ledger, startedAt, halved }: State): Send[] {
  const unfinished = definitions.filter(({ name }) => progress[name] && !isOver(progress[name]));
  return unfinished.map((definition) => {
    const { skill, seed, spread } = planned ?? {};
    const shared = { skill, seed, definition, startedAt, progress: { [definition.name]: progress[definition.name] } };
    if (spread) return new Send("apart", { ...shared, halved, shares: unfinished.length });
    return new Send("work", { ...shared, segment, earlier: ledger });
  });
}

function goOn(state: State): Send[] | "halve" | "aggregate" | typeof END {
  if (remaining(state.progress)) return fanOut(state);
  if (state.planned?.part) return END;
  const failed = Object.values(state.progress).every(({ status }) => status === "failed");
  return failed && !state.halved && !state.planned?.rerun.length ? "halve" : "aggregate";
}

/**
 * Returns a graph that runs one skill in several scenarios of different difficulty in parallel, and compares them at the end. The mode
 * decides at which points the scenarios wait for each other.
 */
export const scenario = ({ name = "scenario", skills: own = [], ...options }: ScenarioOptions = {}) => {
  const skills = skillsWith(own);
  const Context = patternContext(scenarioContext, options);
  const contextOf = (config: Config) => Context.parse(config.context ?? {});
  const skill = skillName(skills, State.fields.skill.description);
  const conversation = z.array(z.unknown()).default([]).describe("Conversation that names a skill");
  const Input = closed({ ...fields, skill, messages: conversation }, judgeInput);

  const begin = (definitions: ScenarioDefinition[], mode: Mode, config: Config, kept: State["progress"] = {}) => ({
    definitions,
    progress: new Overwrite(beginAll(definitions, runOf(config), kept)),
    segment: nextSegment(mode, contextOf(config).milestones, null),
  });

  /**
   * Plans the scenarios from the skill's own profile or from the caller's list. Clears the values that an earlier run left on the thread.
   */
  const plan: Node = (state, config) => {
    const startedAt = Date.now();
    const { planned, definitions, kept, estimate, outline } = planRun(state, skills, contextOf(config));
    report(config, "scenario", "plan", startedAt, { ...planned, scenarios: outline, estimate });
    const cleared = { syncs: new Overwrite([]), ledger: new Overwrite([]), halved: false, report: null };
    return { ...begin(definitions, planned.mode, config, kept), ...cleared, planned, estimate, startedAt };
  };

  /** Ends a segment, after the scenarios have waited for each other. Records how far each scenario has come, and sets the next segment. */
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

  return measured(
    guarded(
      new StateGraph({ state: State, input: Input, output: Output, context: Context })
        .addNode("plan", plan)
        .addNode("work", batchesOf({ skills, contextOf }))
        .addNode("apart", apart(contextOf))
        .addNode("meet", meet)
        .addNode("halve", halve)
        .addNode("aggregate", aggregate)
        .addEdge(START, "plan")
        .addConditionalEdges("plan", fanOut, ["work", "apart"])
        .addEdge("work", "meet")
        .addEdge("apart", "meet")
        .addConditionalEdges("meet", goOn, ["work", "apart", "halve", "aggregate", END])
        .addConditionalEdges("halve", fanOut, ["work", "apart"])
        .addEdge("aggregate", END)
        .compile({ name }),
    ),
  ).withConfig({ recursionLimit: mostSteps });
};

export const graph = scenario();
