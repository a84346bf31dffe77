import { END, START, StateGraph } from "@langchain/langgraph";
import { type Facts, fail, failing, guarded, measured, mostSuperSteps, orFail } from "ensemble/patterns";
import { command } from "./hierarchy/command.ts";
import { type HierarchyOptions, setUp } from "./hierarchy/context.ts";
import { afterDecide, askPerson, decide } from "./hierarchy/decide.ts";
import { squad } from "./hierarchy/squad.ts";
import { type Commanded, Input, isNodeName, Output, State } from "./hierarchy/state.ts";
import { strategise } from "./hierarchy/strategise.ts";
import { factsOf } from "./supervisor/facts.ts";
import { askAboutFailures } from "./supervisor/failures.ts";
import { reconcile, settle } from "./supervisor/reconcile.ts";
import { synthesize } from "./supervisor/synthesize.ts";
import { account } from "./supervisor/work.ts";

export type { HierarchyOptions };

/**
 * Returns a graph with a chain of command. A commander gives objectives to squads. Each squad is a supervisor graph with its own workers,
 * and runs as a subgraph. The squads report to the commander. After each wave, the commander decides what to do next. At the end, the
 * commander settles contradictions and writes the answer.
 */
export function hierarchy({ squads, name = "hierarchy", description, ...defaults }: HierarchyOptions = {}) {
  const { context, ...setup } = setUp(squads, defaults);
  const { team } = setup;
  const nodes = [...setup.graphs.keys()].filter(isNodeName);
  const working = [...nodes, "squad"] as ["squad"]; // cast, because the squads' nodes have names that TypeScript cannot know
  const builder = new StateGraph({ state: State, input: Input, output: Output, context })
    .addNode("strategise", failing(strategise(setup), { begins: () => true }))
    .addNode("squad", squad(setup))
    .addNode("account", account)
    .addNode("decide", failing(decide(setup)))
    .addNode("askPerson", askPerson(setup))
    .addNode("askAboutFailures", askAboutFailures(team))
    .addNode("reconcile", failing(reconcile(team)))
    .addNode("settle", failing(settle(team)))
    .addNode("synthesize", failing(synthesize(team)))
    .addNode("fail", fail, { ends: [END] })
    .addEdge(START, "strategise")
    .addConditionalEdges("strategise", orFail(command(setup)), [...working, "reconcile", "fail"])
    .addEdge("squad", "account")
    .addEdge("account", "decide")
    .addConditionalEdges("decide", orFail(afterDecide(setup)), [...working, "askPerson", "askAboutFailures", "reconcile", "fail"])
    .addEdge("askPerson", "decide")
    .addConditionalEdges("askAboutFailures", command(setup), [...working, "reconcile"])
    .addConditionalEdges(
      "reconcile",
      orFail(({ conflicts }) => (conflicts.length > 0 ? "settle" : "synthesize")),
      ["settle", "synthesize", "fail"],
    )
    .addConditionalEdges(
      "settle",
      orFail(() => "synthesize"),
      ["synthesize", "fail"],
    )
    .addConditionalEdges(
      "synthesize",
      orFail(() => END),
      [END, "fail"],
    );
  for (const one of nodes) builder.addNode(one as "squad", squad(setup)).addEdge(one as "squad", "account");
  const graph = guarded(builder.compile({ name, ...(description && { description }) }));
  return measured(graph, commandFacts).withConfig({ recursionLimit: mostSuperSteps });
}

/**
 * Returns the facts of a run for its metrics. The objectives are returned as `pieces`. They are not `tasks`, because the metrics of
 * tasks need the time at which each task became ready, which is not recorded for objectives. The runs of the squads have tasks of their own.
 */
function commandFacts(state: Commanded): Facts {
  const { tasks: pieces = [], ...facts } = factsOf(state);
  return { ...facts, pieces };
}

export const graph = hierarchy();
