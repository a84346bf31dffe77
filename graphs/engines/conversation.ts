import { END, START, StateGraph, StateSchema } from "@langchain/langgraph";
import type { z } from "zod";
import { mostSuperSteps } from "../agent/context.ts";
import { guarded } from "../agent/guards/whole.ts";
import { measured } from "../agent/metrics/measured.ts";
import { inSequence } from "../agent/metrics/pieces.ts";
import { begin } from "./conversation/begin.ts";
import { check, conclude } from "./conversation/check.ts";
import { choose } from "./conversation/choose.ts";
import { listen } from "./conversation/listen.ts";
import { afterTurn, speak, type Turn } from "./conversation/speak.ts";
import { type Conversation, type ConversationSetup, conversationInput, conversationState, participantOf } from "./conversation/state.ts";

interface Building extends ConversationSetup {
  context: z.ZodObject;
  name: string;
  description?: string;
  turn?: Turn;
  choice?: Parameters<typeof choose>[1];
}

const { result, stopReason, speaker, turns, usage, notes, messages, ledger, metrics } = conversationState;

/**
 * Returns a graph in which participants speak one after another until a condition holds.
 * - `choose` selects the next speaker.
 * - `speak` lets an agent write a message.
 * - `listen` lets a person write a message.
 * - `check` evaluates the conditions after each message.
 */
export function conversation({ context, name, description, turn = {}, choice, ...setup }: Building) {
  const speakerOf = (state: Conversation) => (participantOf(setup, state).human ? "listen" : "speak");
  return measured(
    guarded(
      new StateGraph({
        state: new StateSchema(conversationState),
        input: conversationInput,
        output: new StateSchema({ result, stopReason, speaker, turns, usage, notes, messages, ledger, metrics }),
        context,
      })
        .addNode("begin", begin(setup))
        .addNode("choose", choose(setup, choice))
        .addNode("speak", speak(setup, turn))
        .addNode("listen", listen(setup))
        .addNode("check", check(setup))
        .addNode("conclude", conclude)
        .addEdge(START, "begin")
        .addEdge("begin", "choose")
        .addConditionalEdges("choose", speakerOf, ["speak", "listen"])
        .addConditionalEdges("speak", afterTurn, ["speak", "check"])
        .addEdge("listen", "check")
        .addConditionalEdges("check", ({ stopReason }) => (stopReason === null ? "choose" : "conclude"), ["choose", "conclude"])
        .addEdge("conclude", END)
        .compile({ name, ...(description && { description }) }),
    ),
    ({ ledger }: Conversation) => ({ pieces: inSequence(ledger) }),
  ).withConfig({ recursionLimit: mostSuperSteps });
}
