import { z } from "zod";
import { closed } from "../agent/closed.ts";

/** The condition that ends a conversation, written as JSON. It is checked after every message. */
export interface Termination {
  text?: string;
  by?: string;
  maxMessages?: number;
  maxTokens?: number;
  timeoutSeconds?: number;
  handoffTo?: string;
  functionCalled?: string;
  external?: true;
  and?: Termination[];
  or?: Termination[];
}

const several = (description: string) =>
  z
    .array(z.lazy((): z.ZodType<Termination> => Condition))
    .min(1)
    .max(20)
    .optional()
    .describe(description);

const Condition: z.ZodType<Termination> = closed(
  {
    text: z.string().min(1).optional().describe("Ends when a participant says this text. The user is not a participant."),
    by: z.string().optional().describe("Only together with `text`: the participant who must say it"),
    maxMessages: z.number().int().min(1).optional().describe("Ends after this number of messages from participants in this run"),
    maxTokens: z.number().int().min(1).optional().describe("Ends when the run has used this number of tokens"),
    timeoutSeconds: z
      .number()
      .positive()
      .optional()
      .describe("Ends after this number of seconds of work. Waiting for a person is not counted."),
    handoffTo: z.string().min(1).optional().describe("Ends when the conversation is handed over to this name"),
    functionCalled: z.string().min(1).optional().describe("Ends when a participant has called this tool"),
    external: z.literal(true).optional().describe("Ends when a run on the thread sends `command.update` with `stop: true`"),
    and: several("Ends when all of these hold"),
    or: several("Ends when one of these holds"),
  },
  (given) => {
    const kinds = Object.keys(given).filter((key) => key !== "by" && Object(given)[key] !== undefined);
    if (kinds.length !== 1) return [{ path: [], message: `a condition has one key, such as maxMessages; this one has ${kinds.length}` }];
    return "by" in given && !("text" in given) ? [{ path: ["by"], message: "`by` needs `text`" }] : [];
  },
);

/**
 * The context field `termination`. Its condition must include a limit on messages, tokens or time that always applies, so that every
 * conversation ends.
 */
export const Termination = z
  .lazy(() => Condition)
  .refine(isBounded, { message: "nothing bounds the conversation; join maxMessages, maxTokens or timeoutSeconds to it with `or`" });

/** Tells whether a condition must become true at some time, whatever the participants say. */
function isBounded({ maxMessages, maxTokens, timeoutSeconds, and, or }: Termination): boolean {
  return Boolean(maxMessages ?? maxTokens ?? timeoutSeconds) || Boolean(and?.every(isBounded)) || Boolean(or?.some(isBounded));
}

/** Returns the names of participants in a condition, each with its path. */
export function namesIn(termination: Termination, path: PropertyKey[] = []): { name: string; path: PropertyKey[] }[] {
  const own = (["by", "handoffTo"] as const).flatMap((key) => {
    const name = termination[key];
    return name === undefined ? [] : [{ name, path: [...path, key] }];
  });
  const inside = (["and", "or"] as const).flatMap((key) =>
    (termination[key] ?? []).flatMap((one, index) => namesIn(one, [...path, key, index])),
  );
  return [...own, ...inside];
}

/** The state of a conversation, on which the conditions for its end are evaluated. */
export interface ConversationFacts {
  /** The last message of a participant, and the functions that the message called. */
  last?: { speaker: string; text: string; functions: string[] };
  /** The number of messages from participants in this run. */
  messages: number;
  tokens: number;
  /** The number of seconds that this run has worked on the conversation. */
  seconds: number;
  handoffTo?: string;
  /** Whether a caller asked to stop the conversation. */
  stop: boolean;
}

/**
 * Returns the part of the condition that is true, as text for `stopReason`. Returns undefined if no part is true and the conversation
 * continues.
 */
export function heldBy(termination: Termination, facts: ConversationFacts): string | undefined {
  const { and, or } = termination;
  if (or) return or.map((one) => heldBy(one, facts)).find((reason) => reason !== undefined);
  if (and) {
    const reasons = and.map((one) => heldBy(one, facts));
    return reasons.every((reason) => reason !== undefined) ? reasons.join(" and ") : undefined;
  }
  return holds(termination, facts) ? describe(termination) : undefined;
}

function holds(termination: Termination, { last, messages, tokens, seconds, handoffTo, stop }: ConversationFacts): boolean {
  const { text, by, maxMessages, maxTokens, timeoutSeconds, functionCalled } = termination;
  if (text !== undefined) return Boolean(last?.text.includes(text)) && (by === undefined || by === last?.speaker);
  if (maxMessages !== undefined) return messages >= maxMessages;
  if (maxTokens !== undefined) return tokens >= maxTokens;
  if (timeoutSeconds !== undefined) return seconds >= timeoutSeconds;
  if (functionCalled !== undefined) return Boolean(last?.functions.includes(functionCalled));
  if (termination.handoffTo !== undefined) return handoffTo === termination.handoffTo;
  return stop;
}

function describe({ text, by, ...others }: Termination): string {
  if (text !== undefined) return `text "${text}"${by === undefined ? "" : ` by ${by}`}`;
  const [key = "", value] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
  return value === true ? key : `${key} ${value}`;
}
