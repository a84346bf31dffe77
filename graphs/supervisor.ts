import { END, START, StateGraph } from "@langchain/langgraph";
import { mostSuperSteps } from "ensemble/patterns";
import { type SupervisorOptions, setUp } from "./supervisor/context.ts";
import { dispatch } from "./supervisor/dispatch.ts";
import { askAboutFailures } from "./supervisor/failures.ts";
import { afterReconcile, askAboutConflicts, reconcile, settle } from "./supervisor/reconcile.ts";
import { afterReview, review } from "./supervisor/review.ts";
import { route } from "./supervisor/route.ts";
import { Input, Output, State } from "./supervisor/state.ts";
import { synthesize } from "./supervisor/synthesize.ts";
import { account, recall, remembering, work } from "./supervisor/work.ts";

export type { SupervisorOptions };

/**
 * Returns a graph for a team of agents. A judge plans the work, agents do it in waves, and the judge reviews each wave. At the end,
 * contradictions between their findings are settled and one report is written.
 */
export function supervisor({ agents, name = "supervisor", description, ...defaults }: SupervisorOptions = {}) {
  const setup = setUp(agents, defaults);
  return new StateGraph({ state: State, input: Input, output: Output, context: setup.context })
    .addNode("route", route(setup))
    .addNode("work", work(setup))
    .addNode("recall", recall(setup), remembering(setup))
    .addNode("account", account)
    .addNode("review", review(setup))
    .addNode("askAboutFailures", askAboutFailures(setup))
    .addNode("reconcile", reconcile(setup))
    .addNode("askAboutConflicts", askAboutConflicts(setup))
    .addNode("settle", settle(setup))
    .addNode("synthesize", synthesize(setup))
    .addEdge(START, "route")
    .addConditionalEdges("route", dispatch(setup), ["work", "recall", "reconcile"])
    .addEdge("work", "account")
    .addEdge("recall", "account")
    .addEdge("account", "review")
    .addConditionalEdges("review", afterReview(setup), ["work", "recall", "askAboutFailures", "reconcile"])
    .addConditionalEdges("askAboutFailures", dispatch(setup), ["work", "recall", "reconcile"])
    .addConditionalEdges("reconcile", afterReconcile(setup), ["askAboutConflicts", "settle", "synthesize"])
    .addEdge("askAboutConflicts", "settle")
    .addEdge("settle", "synthesize")
    .addEdge("synthesize", END)
    .compile({ name, ...(description && { description }) })
    .withConfig({ recursionLimit: mostSuperSteps });
}

export const graph = supervisor();
