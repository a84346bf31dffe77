import { AIMessage, type BaseMessage, ToolMessage } from "@langchain/core/messages";
import { StateSchema } from "@langchain/langgraph";
import { z } from "zod";
import { spentIn } from "../../agent/ledger.ts";
import { asText } from "../../agent/prompt.ts";
import type { Success } from "../../agent/run-agent.ts";
import { appending } from "../../agent/state.ts";
import { seenAfterHandoff } from "./handed.ts";
import { HandedOver, type Handing, handoffIn, isLoop, transferTool } from "./handoff.ts";
import type { Turn } from "./speak.ts";
import {
  type Config,
  type Conversation,
  type ConversationContext,
  type ConversationSetup,
  conversationState,
  type Participant,
} from "./state.ts";
import { saidBy } from "./transcript.ts";

/** The state of a conversation that agents hand over to each other. */
export const handedState = {
  ...conversationState,
  handoffs: appending(HandedOver, "Every handoff of this run"),
  floor: HandedOver.nullable().default(null).describe("Handoff that gave the conversation to the current agent"),
  handedAt: z.number().int().default(0).describe("Number of messages before that handoff"),
  lastAgent: z.string().nullable().default(null).describe("Agent that answered last. It gets the user's next message."),
};

export const HandedState = new StateSchema(handedState);
export type Swarming = typeof HandedState.State;

/** The values that all nodes of a swarm share. */
export interface SwarmSetup extends ConversationSetup<Handing> {
  contextOf(state: Conversation, config: Config): ConversationContext & SwarmSettings;
}

interface SwarmSettings {
  maxHandoffs: number;
  pack: boolean;
  entry?: string;
  returnTo: "last" | "entry";
}

/** The turn of an agent in a swarm. The agent may use its tools, and then answers or hands over the conversation. */
export const swarmTurn = (setup: SwarmSetup): Turn<Swarming, Handing> => ({
  agentFor(participant, state, config) {
    const { maxHandoffs, askTimeoutSeconds = null } = setup.contextOf(state, config);
    const offered = state.handoffs.length < maxHandoffs ? participant.handoffs : [];
    const all = setup.participantsOf(state);
    return { ...participant, tools: [...participant.tools, ...offered.map((one) => transferTool(one, all, askTimeoutSeconds))] };
  },
  view(_participant, state, config) {
    const { pack, limits } = setup.contextOf(state, config);
    const { floor, handedAt } = state;
    const from = setup.participantsOf(state).find(({ name }) => name === floor?.from);
    const by = from?.handoffs.find(({ to }) => to === floor?.to);
    const handoff = floor && by ? { by, record: floor, pack: by.pack ?? pack } : undefined;
    return seenAfterHandoff(state, { handoff, handedAt, most: limits.materialTokens });
  },
  said(participant, outcome, state) {
    const messages = addedBy(participant, outcome);
    const floor = handoffIn(messages, participant);
    if (!floor) return { messages, stopReason: "answered" };
    const stopReason = isLoop([...state.handoffs, floor]) ? "handoff_loop" : null;
    return { messages, speaker: floor.to, handoffs: [floor], floor, handedAt: state.messages.length + messages.length, stopReason };
  },
});

/** Returns the messages of a turn, under the agent's name. Returns none if the agent neither answered nor handed over. */
function addedBy({ name }: Participant, { added, message, result }: Success<unknown>): BaseMessage[] {
  const said = added ?? [message?.text === result && message ? message : new AIMessage(asText(result))];
  const named = said.map((one) => (AIMessage.isInstance(one) ? saidBy(name, one) : one));
  return named.some((one) => ToolMessage.isInstance(one) || one.text.trim() !== "") ? named : [];
}

/** Ends the run. If there is no answer, the last message says why. The run fails if no agent said anything. */
export function conclude({ messages, turns, notes, stopReason, speaker, ledger }: Swarming) {
  if (turns === 0) throw new Error(`No agent answered. ${notes.join(" ")}`);
  const last = messages.at(-1);
  const ended = { lastAgent: speaker, usage: spentIn(ledger) };
  if (AIMessage.isInstance(last) && last.text !== "") return { ...ended, result: last.text };
  return { ...ended, result: null, messages: [new AIMessage(`The conversation was stopped: ${stopReason}.`)] };
}
