import { END, START, StateGraph } from "@langchain/langgraph";
import { fail, failing, guarded, measured, mostSuperSteps, orFail } from "ensemble/patterns";
import { type Setup, type SupervisorOptions, setUp } from "./supervisor/context.ts";
import { dispatch } from "./supervisor/dispatch.ts";
import { factsOf } from "./supervisor/facts.ts";
import { askAboutFailures } from "./supervisor/failures.ts";
import { afterReconcile, askAboutConflicts, reconcile, settle } from "./supervisor/reconcile.ts";
import { afterReview, review } from "./supervisor/review.ts";
import { route } from "./supervisor/route.ts";
import { Input, type Node, Output, State } from "./supervisor/state.ts";
import { synthesize as writeReport } from "./supervisor/synthesize.ts";
import { account, recall, remembering, work } from "./supervisor/work.ts";

export type { SupervisorOptions };

/**
 * Returns a graph for a team of agents. A judge plans the work, agents do it in waves, and the judge reviews each wave. At the end,
 * contradictions between the findings are settled and one report is written. `synthesize` makes the node that writes the report.
 */
export function supervisor(
  { agents, name = "supervisor", description, ...defaults }: SupervisorOptions = {},
  synthesize: (setup: Setup) => Node = writeReport,
) {
  const { context, ...setup } = setUp(agents, defaults);
  const workers = [...setup.nodes, "work"] as ["work"]; // cast, because the agents' nodes have names that TypeScript cannot know
  const builder = new StateGraph({ state: State, input: Input, output: Output, context })
    .addNode("route", failing(route(setup), { begins: () => true }))
    .addNode("work", work(setup))
    .addNode("recall", recall(setup), remembering(setup))
    .addNode("account", account)
    .addNode("review", failing(review(setup)))
    .addNode("askAboutFailures", askAboutFailures(setup))
    .addNode("reconcile", failing(reconcile(setup)))
    .addNode("askAboutConflicts", askAboutConflicts(setup))
    .addNode("settle", failing(settle(setup)))
    .addNode("synthesize", failing(synthesize(setup)))
    .addNode("fail", fail, { ends: [END] })
    .addEdge(START, "route")
    .addConditionalEdges("route", orFail(dispatch(setup)), [...workers, "recall", "reconcile", "fail"])
    .addEdge("work", "account")
    .addEdge("recall", "account")
    .addEdge("account", "review")
    .addConditionalEdges("review", orFail(afterReview(setup)), [...workers, "recall", "askAboutFailures", "reconcile", "fail"])
    .addConditionalEdges("askAboutFailures", dispatch(setup), [...workers, "recall", "reconcile"])
    .addConditionalEdges("reconcile", orFail(afterReconcile(setup)), ["askAboutConflicts", "settle", "synthesize", "fail"])
    .addEdge("askAboutConflicts", "settle")
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
  for (const agent of setup.nodes) builder.addNode(agent as "work", work(setup)).addEdge(agent as "work", "account");
  const graph = guarded(builder.compile({ name, ...(description && { description }) }));
  return measured(graph, factsOf).withConfig({ recursionLimit: mostSuperSteps });
}

export const graph = supervisor();
