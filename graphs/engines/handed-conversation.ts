import { END, Overwrite, START, StateGraph, StateSchema } from "@langchain/langgraph";
import type { z } from "zod";
import { mostSuperSteps } from "../agent/context.ts";
import { guarded } from "../agent/guards/whole.ts";
import { measured } from "../agent/metrics/measured.ts";
import { inSequence } from "../agent/metrics/pieces.ts";
import { begin } from "./conversation/begin.ts";
import { check } from "./conversation/check.ts";
import { afterTurn, speak } from "./conversation/speak.ts";
import { type Config, type Conversation, conversationInput } from "./conversation/state.ts";
import { conclude, HandedState, handedState, type Swarming, type SwarmSetup, swarmTurn } from "./conversation/swarm-turn.ts";

interface Building extends SwarmSetup {
  context: z.ZodObject;
  name: string;
  description?: string;
}

/**
 * Begins a run. If `returnTo` is `last`, the last speaker continues the conversation. Otherwise, and in a new conversation, the entry agent
 * begins.
 */
const beginSwarm = (setup: SwarmSetup) => (state: Swarming, config: Config) => {
  const begun = begin(setup)(state, config);
  const { entry, returnTo } = setup.contextOf({ ...state, rules: begun.rules }, config);
  const names = setup.participantsOf({ ...state, rules: begun.rules }).map(({ name }) => name);
  const stays = returnTo === "last" && state.speaker !== null && names.includes(state.speaker);
  const floor = stays ? { speaker: state.speaker } : { speaker: entry ?? names[0] ?? "", floor: null };
  return { ...begun, ...floor, notes: [], handoffs: new Overwrite([]), lastAgent: null };
};

const isOver = ({ stopReason }: Swarming) => (stopReason === null ? "speak" : "conclude");
const { result, stopReason, lastAgent, handoffs, turns, usage, notes, messages, ledger, metrics } = handedState;

/** Returns a graph in which the current agent speaks, until an agent answers and does not hand over the conversation. */
export function handedConversation({ context, name, description, ...setup }: Building) {
  return measured(
    guarded(
      new StateGraph({
        state: HandedState,
        input: conversationInput,
        output: new StateSchema({ result, stopReason, lastAgent, handoffs, turns, usage, notes, messages, ledger, metrics }),
        context,
      })
        .addNode("begin", beginSwarm(setup))
        .addNode("speak", speak(setup, swarmTurn(setup)))
        .addNode("check", check(setup))
        .addNode("conclude", conclude)
        .addEdge(START, "begin")
        .addEdge("begin", "speak")
        .addConditionalEdges("speak", afterTurn, ["speak", "check"])
        .addConditionalEdges("check", isOver, ["speak", "conclude"])
        .addEdge("conclude", END)
        .compile({ name, ...(description && { description }) }),
    ),
    ({ ledger }: Conversation) => ({ pieces: inSequence(ledger) }),
  ).withConfig({ recursionLimit: mostSuperSteps });
}
