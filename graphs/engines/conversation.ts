import { END, Overwrite, START, StateGraph, StateSchema } from "@langchain/langgraph";
import type { z } from "zod";
import { mostSuperSteps } from "../agent/context.ts";
import { beginTask } from "../agent/task.ts";
import { check, conclude } from "./conversation/check.ts";
import { choose } from "./conversation/choose.ts";
import { listen } from "./conversation/listen.ts";
import { afterTurn, speak, type Turn } from "./conversation/speak.ts";
import {
  type Config,
  type Conversation,
  type ConversationSetup,
  conversationInput,
  conversationState,
  participantOf,
} from "./conversation/state.ts";

interface Building extends ConversationSetup {
  context: z.ZodObject;
  name: string;
  description?: string;
  turn?: Turn;
  choice?: Parameters<typeof choose>[1];
}

const { result, stopReason, speaker, turns, notes, messages, ledger } = conversationState;

/**
 * Returns a graph in which participants speak one after another, until a condition holds. `choose` gives the floor, `speak` lets an agent
 * say a message, and `listen` lets a person do so. `check` looks at the conditions after each message.
 */
export function conversation({ context, name, description, turn = {}, choice, ...setup }: Building) {
  const speakerOf = (state: Conversation) => (participantOf(setup, state).human ? "listen" : "speak");
  return new StateGraph({
    state: new StateSchema(conversationState),
    input: conversationInput,
    output: new StateSchema({ result, stopReason, speaker, turns, notes, messages, ledger }),
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
    .compile({ name, ...(description && { description }) })
    .withConfig({ recursionLimit: mostSuperSteps });
}

/** Begins a run. The transcript and the floor stay, and everything that conditions count begins anew. */
export const begin = (setup: ConversationSetup) => (state: Conversation, config: Config) => {
  if (state.stop) throw new Error("There is nothing to stop. Send `stop` with `command.update` to a run that goes on.");
  const rules = config.context ?? {};
  const size = setup.participantsOf({ ...state, rules }).length;
  const unusual = `A conversation of ${size} participants is unusual. Three to five work best.`;
  const notes = size < 3 || size > 5 ? [unusual] : [];
  const counters = { turns: 0, tries: 0, problem: null, failures: 0, functions: [], workedMs: 0, stopReason: null, result: null };
  return { ...beginTask(state), ...counters, rules, notes, ledger: new Overwrite([]) };
};
