import { interrupt } from "@langchain/langgraph";
import { z } from "zod";
import { type Action, Approval, answersTo, drawing } from "./approval.ts";

/** The question that every pattern asks a person. */
export interface Question {
  type: "approval" | "selection" | "input";
  prompt: string;
  options?: string[];
  details?: unknown;
  /** The seconds after which the service itself continues, with `{ timedOut: true }`. */
  timeoutSeconds?: number;
}

/** The field of a run's context that limits how long a question waits for an answer. */
export const AskTimeout = z
  .number()
  .positive()
  .max(31_536_000)
  .nullable()
  .default(null)
  .describe("Seconds after which a question to a person counts as not answered. Without a value, it waits for ever.");

export type AskTimeout = z.infer<typeof AskTimeout>;

export const nobodyAnswered = (seconds: AskTimeout) => `Nobody answered within ${seconds} s.`;

interface Asking {
  details?: unknown;
  timeoutSeconds?: AskTimeout;
}

/** Asks for approval: yes, yes with changes, or no with a reason. A missing answer counts as no. */
export function askApproval(
  prompt: string,
  details: unknown,
  { action, timeoutSeconds = null }: { action?: Action; timeoutSeconds?: AskTimeout } = {},
): Approval {
  const question: Question = { type: "approval", prompt, details, ...(action && drawing(action, prompt)), ...until(timeoutSeconds) };
  const answer = ask(question, action ? answersTo(action) : Approval);
  return answer ?? { approved: false, reason: nobodyAnswered(timeoutSeconds) };
}

/** Asks for one of the options, or for free text when there are none. Returns undefined when the time is up. */
export function askAnswer(prompt: string, options?: string[]): string;
export function askAnswer(prompt: string, options: string[] | undefined, more: Asking): string | undefined;
export function askAnswer(prompt: string, options: string[] = [], { timeoutSeconds = null, ...more }: Asking = {}) {
  const question = { prompt, ...more, ...until(timeoutSeconds) };
  if (options.length === 0) return ask({ type: "input", ...question }, z.string());
  return ask({ type: "selection", options, ...question }, z.enum(options));
}

const until = (timeoutSeconds: AskTimeout) => (timeoutSeconds === null ? {} : { timeoutSeconds });
const TimedOut = z.strictObject({ timedOut: z.literal(true) });

/** Sends the schema as JSON and parses the answer here. With a zod schema, LangGraph would also validate the timeout's answer. */
function ask<Answer>(question: Question, schema: z.ZodType<Answer>): Answer | undefined {
  const answer: unknown = interrupt(question, { responseSchema: z.toJSONSchema(schema, { io: "input" }) });
  return TimedOut.safeParse(answer).success ? undefined : schema.parse(answer);
}
