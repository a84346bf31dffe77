import { type LangGraphRunnableConfig, StateSchema } from "@langchain/langgraph";
import { z } from "zod";
import type { Agent } from "../../agent/agent.ts";
import type { sharedContext } from "../../agent/context.ts";
import { ledgerState } from "../../agent/metrics/measured.ts";
import { taskInput, taskState } from "../../agent/task.ts";
import type { Termination } from "../termination.ts";

/** A participant of a conversation: an agent, or a person. */
export interface Participant extends Agent {
  human?: boolean;
}

const text = z.string().nullable().default(null);

const Usage = z.object({
  tokens: z.number().int().describe("Input and output tokens"),
  dollars: z.number().describe("Cost by the price table"),
});

/** The state of a conversation. The messages are the transcript. Each message of a participant has the participant's name. */
export const conversationState = {
  ...taskState,
  rules: z.unknown().describe("Context of the run. A run that resumes this one does not change it."),
  speaker: text.describe("Participant that speaks now, or spoke last. A later run on the thread continues after it."),
  turns: z.number().int().default(0).describe("Number of messages from participants in this run"),
  tries: z.number().int().default(0).describe("Failed tries of the current turn"),
  problem: text.describe("Why the last try failed"),
  failures: z.number().int().default(0).describe("Number of turns that were skipped because the speaker failed"),
  functions: z.array(z.string()).default([]).describe("Tools that were called in the last turn"),
  workedMs: z.number().default(0).describe("Working time in this run, without the time that a person needed"),
  summary: z.string().default("").describe("Summary of the messages that participants no longer see"),
  folded: z.number().int().default(0).describe("Number of messages that the summary replaces, counted from the first"),
  stop: z.boolean().default(false).describe("Set by a caller to end the conversation after the current message"),
  stopReason: text.describe("Condition that ended the conversation"),
  result: text.describe("Last message of a participant"),
  usage: Usage.default({ tokens: 0, dollars: 0 }).describe("Tokens and dollars that the run has used"),
  notes: z.array(z.string()).default([]).describe("Problems and doubts, such as a skipped turn"),
  ...ledgerState,
};

const stop = z.boolean().default(false).describe("Ends the conversation. Send it with `command.update` to a running run.");

/** The input of a conversation. A caller may send `stop` alone. */
export const conversationInput = taskInput({ stop }, (given) => given.stop === true);

export const State = new StateSchema(conversationState);
export type Conversation = typeof State.State;

type Shared = { [Key in keyof typeof sharedContext]: z.output<(typeof sharedContext)[Key]> };

/** The fields of the context that the engine reads. */
export interface ConversationContext extends Shared {
  termination: Termination;
  askTimeoutSeconds?: number | null;
  allowedHosts?: string[] | null;
}

export type Config = LangGraphRunnableConfig;

/** The values that all nodes of a conversation share. */
export interface ConversationSetup<Speaker extends Participant = Participant> {
  /** The name of the pattern, as it appears in progress events. */
  pattern: string;
  /** Returns the context of the run, which was stored when the run began. */
  contextOf(state: Conversation, config: Config): ConversationContext;
  participantsOf(state: Conversation): Speaker[];
  /** A function that ends the conversation by returning true or the text of a reason. */
  until?(conversation: Pick<Conversation, "messages" | "speaker" | "turns">): boolean | string;
}

export function participantOf<Speaker extends Participant>(setup: ConversationSetup<Speaker>, state: Conversation): Speaker {
  const found = setup.participantsOf(state).find(({ name }) => name === state.speaker);
  if (!found) throw new Error(`There is no participant "${state.speaker}" any more.`);
  return found;
}
