import { END, START, StateGraph } from "@langchain/langgraph";
import { mostSuperSteps } from "./kit/context.ts";
import { reconcile, synthesize } from "./supervisor/conclude.ts";
import { Context } from "./supervisor/context.ts";
import { route } from "./supervisor/plan.ts";
import { review } from "./supervisor/review.ts";
import { Input, Output, State } from "./supervisor/state.ts";
import { account, dispatch, recall, remembering, work } from "./supervisor/work.ts";

/** Lets a judge plan, agents work in waves, and the judge review. Contradictions are settled, and one report is written. */
export const graph = new StateGraph({ state: State, input: Input, output: Output, context: Context })
  .addNode("route", route)
  .addNode("work", work)
  .addNode("recall", recall, remembering)
  .addNode("account", account)
  .addNode("review", review)
  .addNode("reconcile", reconcile)
  .addNode("synthesize", synthesize)
  .addEdge(START, "route")
  .addConditionalEdges("route", dispatch, ["work", "recall", "reconcile"])
  .addEdge("work", "account")
  .addEdge("recall", "account")
  .addEdge("account", "review")
  .addConditionalEdges("review", dispatch, ["work", "recall", "reconcile"])
  .addEdge("reconcile", "synthesize")
  .addEdge("synthesize", END)
  .compile({ name: "supervisor" })
  .withConfig({ recursionLimit: mostSuperSteps });
