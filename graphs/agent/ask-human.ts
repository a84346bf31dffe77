import { interrupt } from "@langchain/langgraph";
import { z } from "zod";
import { type Action, Approval, answersTo, Decisions, drawing, drawingOf, readDecisions } from "./approval.ts";
import { noteAnswer } from "./metrics/executions.ts";

/** A question to a person. All patterns ask in this form. */
export interface Question {
  type: "approval" | "selection" | "input";
  prompt: string;
  options?: string[];
  details?: unknown;
  /** The number of seconds for which the question waits. After that, the service continues the run with the answer `{ timedOut: true }`. */
  timeoutSeconds?: number;
}

/** The field of a run's context that sets how long a question waits for an answer. */
export const AskTimeout = z
  .number()
  .positive()
  .max(31_536_000)
  .nullable()
  .default(null)
  .describe("Seconds after which a question to a person counts as not answered. Without a value, the question waits forever.");

export type AskTimeout = z.infer<typeof AskTimeout>;

export const nobodyAnswered = (seconds: AskTimeout) => `Nobody answered within ${seconds} s.`;

interface Asking {
  details?: unknown;
  timeoutSeconds?: AskTimeout;
}

/**
 * Asks a person for approval. The person approves, approves with changed arguments, or refuses with a reason. If nobody answers in time,
 * that counts as a refusal.
 */
export function askApproval(
  prompt: string,
  details: unknown,
  { action, timeoutSeconds = null }: { action?: Action; timeoutSeconds?: AskTimeout } = {},
): Approval {
  const question: Question = { type: "approval", prompt, details, ...(action && drawing(action, prompt)), ...until(timeoutSeconds) };
  const answer = ask(question, action ? answersTo(action) : Approval);
  return answer ?? { approved: false, reason: nobodyAnswered(timeoutSeconds) };
}

/**
 * Asks a person in a single question to approve several calls. The person sends one decision for each call, in order. If the decisions
 * cannot be used, the question is asked again with the reason. If nobody answers in time, all calls are refused.
 */
export function askApprovals(actions: Action[], timeoutSeconds: AskTimeout): Approval[] {
  const prompt = `May these tools be used: ${actions.map(({ name }) => name).join(", ")}?`;
  const details = actions.map(({ name, args }) => ({ tool: name, args }));
  const question: Question = { type: "approval", prompt, details, ...drawingOf(actions), ...until(timeoutSeconds) };
  for (;;) {
    const answer = ask(question, Decisions);
    if (answer === undefined) return actions.map(() => ({ approved: false, reason: nobodyAnswered(timeoutSeconds) }));
    const read = readDecisions(answer, actions);
    if ("approvals" in read) return read.approvals;
    question.prompt = `${read.problem} ${prompt}`;
  }
}

/** Asks a person to choose one of the options. Without options, asks for a text. Returns undefined if nobody answers in time. */
export function askAnswer(prompt: string, options?: string[]): string;
export function askAnswer(prompt: string, options: string[] | undefined, more: Asking): string | undefined;
export function askAnswer(prompt: string, options: string[] = [], { timeoutSeconds = null, ...more }: Asking = {}) {
  const question = { prompt, ...more, ...until(timeoutSeconds) };
  if (options.length === 0) return ask({ type: "input", ...question }, z.string());
  return ask({ type: "selection", options, ...question }, z.enum(options));
}

const until = (timeoutSeconds: AskTimeout) => (timeoutSeconds === null ? {} : { timeoutSeconds });
const TimedOut = z.strictObject({ timedOut: z.literal(true) });

/**
 * Asks the question and validates the answer. LangGraph gets the schema of the answer as JSON schema, and does not validate the answer with
 * it. With a zod schema, LangGraph would validate the answer, and would refuse `{ timedOut: true }`, which the service sends after the time
 * limit.
 */
function ask<Answer>(question: Question, schema: z.ZodType<Answer>): Answer | undefined {
  const answer: unknown = interrupt(question, { responseSchema: z.toJSONSchema(schema, { io: "input" }) });
  noteAnswer();
  return TimedOut.safeParse(answer).success ? undefined : schema.parse(answer);
}
