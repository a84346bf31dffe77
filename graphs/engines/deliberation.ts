import { END, START, StateGraph, StateSchema } from "@langchain/langgraph";
import type { z } from "zod";
import { mostSuperSteps } from "../agent/context.ts";
import { guarded } from "../agent/guards/whole.ts";
import { measured } from "../agent/metrics/measured.ts";
import { answer, begin, rebut, sendAll } from "./deliberation/answer.ts";
import { check } from "./deliberation/check.ts";
import { conclude } from "./deliberation/conclude.ts";
import { askPerson, decide } from "./deliberation/decide.ts";
import { type Config, type Deliberation, type DeliberationSetup, Input, State } from "./deliberation/state.ts";

interface Building extends DeliberationSetup {
  context: z.ZodObject;
  name: string;
  description?: string;
  /** The fields of the state that callers see. */
  output: (keyof typeof State.fields)[];
}

/**
 * Returns a graph in which experts answer one question in parallel. The node `check` computes how far they agree. Without a consensus, the
 * experts may respond to each other in rounds. If there is no consensus in the end, a vote, a judge or a person decides.
 */
export function deliberation({ context, name, description, output, ...setup }: Building) {
  const next = (state: Deliberation, config: Config) => {
    const { ruling } = setup.contextOf(state, config);
    if (state.stopped === null) return sendAll(setup, state, config);
    if (state.decidedBy !== null || state.stopped === "budget") return "conclude";
    return ruling === "human" ? "askPerson" : "decide";
  };
  return measured(
    guarded(
      new StateGraph({ state: State, input: Input, output: visible(output), context })
        .addNode("begin", begin(setup))
        .addNode("answer", answer(setup))
        .addNode("rebut", rebut(setup))
        .addNode("check", check(setup))
        .addNode("decide", decide(setup))
        .addNode("askPerson", askPerson(setup))
        .addNode("conclude", conclude(setup))
        .addEdge(START, "begin")
        .addConditionalEdges("begin", (state, config) => sendAll(setup, state, config), ["answer"])
        .addEdge("answer", "check")
        .addEdge("rebut", "check")
        .addConditionalEdges("check", next, ["answer", "rebut", "decide", "askPerson", "conclude"])
        .addEdge("decide", "conclude")
        .addEdge("askPerson", "conclude")
        .addEdge("conclude", END)
        .compile({ name, ...(description && { description }) }),
    ),
  ).withConfig({ recursionLimit: mostSuperSteps });
}

/** Returns the schema of the output: the fields that callers see. All other state keys are internal. */
const visible = (output: Building["output"]) => new StateSchema(Object.fromEntries(output.map((key) => [key, State.fields[key]])));
