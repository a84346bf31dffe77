import type { Agent } from "./agent.ts";
import type { Limits } from "./context.ts";

const charactersPerToken = 4;

export class PromptTooLong extends Error {
  override name = "PromptTooLongError";
}

/** The subject of a piece of work. The agent sees nothing else: no history of the caller, no other agents' tasks. */
export interface Errand {
  task: string;
  /** Material for the task. */
  input?: unknown;
  constraints?: string[];
}

/** Returns the system prompt of an agent. */
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

/** Returns the task and its material. What exceeds the limit is cut, and a note says so. */
export function taskOf({ task, input }: Errand, { materialTokens }: Limits): string {
  const given = input === undefined ? "" : `\n\nInput:\n${cut(asText(input), materialTokens)}`;
  return `Task: ${cut(task, materialTokens)}${given}`;
}

/** Returns a value as a text: as it is, or as JSON. */
export const asText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/** Cuts a text to a number of tokens, counted from its characters, because a text need not have spaces. */
export function cut(text: string, tokens: number): string {
  const most = tokens * charactersPerToken;
  if (text.length <= most) return text;
  return `${text.slice(0, most)}\n[Cut here: ${most} of ${text.length} characters are shown.]`;
}
