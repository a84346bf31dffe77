import { type BaseMessage, HumanMessage } from "@langchain/core/messages";
import type { Agent } from "./agent.ts";
import type { Limits } from "./context.ts";

const charactersPerToken = 4;

export class PromptTooLong extends Error {
  override name = "PromptTooLongError";
}

/** A piece of work for an agent. The agent sees only these fields. It sees neither the caller's history nor the tasks of other agents. */
export interface Errand {
  task: string;
  /** The material for the task, such as a text to review. */
  input?: unknown;
  constraints?: string[];
  /** A conversation for the agent to continue. The agent then sees these messages in place of the task and the material. */
  messages?: BaseMessage[];
}

/** Returns the system prompt that tells an agent its role, its goal and its limits. */
export function instructionOf({ name, role, goal, backstory, instructions }: Agent, constraints: string[], limits: Limits): string {
  const lines = [
    `You are ${role}.`,
    goal && `Your goal: ${goal}`,
    backstory,
    instructions,
    ...constraints.map((constraint) => `- ${constraint}`),
  ];
  const instruction = lines.filter(Boolean).join("\n");
  const words = instruction.match(/\S+/g)?.length ?? 0;
  if (words > limits.promptWords) {
    throw new PromptTooLong(`The instruction of "${name}" has ${words} words; ${limits.promptWords} are the most (limits.promptWords).`);
  }
  return instruction;
}

/** Returns the prompt with the task and its material. Material above the limit is cut, and a note in the prompt says how much is shown. */
export function taskOf({ task, input }: Errand, { materialTokens }: Limits): string {
  const given = input === undefined ? "" : `\n\nInput:\n${cut(asText(input), materialTokens)}`;
  return `Task: ${cut(task, materialTokens)}${given}`;
}

/** Returns the first messages of an errand: the conversation to continue, or one message with the task and its material. */
export const openingOf = (errand: Errand, limits: Limits): BaseMessage[] => errand.messages ?? [new HumanMessage(taskOf(errand, limits))];

/** Returns a string unchanged, and any other value as JSON. */
export const asText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/** Cuts a text to a number of tokens. Tokens are estimated from characters and not from words, because a text may have no spaces. */
export function cut(text: string, tokens: number): string {
  const most = tokens * charactersPerToken;
  if (text.length <= most) return text;
  return `${text.slice(0, most)}\n[Cut here: ${most} of ${text.length} characters are shown.]`;
}
