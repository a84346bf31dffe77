import { z } from "zod";
import { outline } from "./outline.ts";
import type { Screen } from "./screen.ts";

const shared = { prompt: z.string(), details: z.unknown().optional(), timeoutSeconds: z.number().optional().catch(undefined) };

/** The kinds of questions that Ensemble's ready-made graphs ask. People answer any other question with JSON. */
export const Question = z.discriminatedUnion("type", [
  z.object({ type: z.literal("approval"), ...shared, action_requests: z.array(z.unknown()).optional().catch(undefined) }),
  z.object({ type: z.literal("selection"), ...shared, options: z.array(z.string()).min(1) }),
  z.object({ type: z.literal("input"), ...shared }),
]);

const OpenQuestion = z.looseObject({ id: z.string(), value: z.unknown().optional() });
export type OpenQuestion = z.output<typeof OpenQuestion>;

const Interrupted = z.object({ __interrupt__: z.array(OpenQuestion) });
/** A thread's open questions, by the id of the task that asked them. */
const OpenQuestions = z.record(z.string(), z.array(OpenQuestion));

/**
 * Returns the questions at which a run stopped, from the run's values. The list is empty if the run stopped at a breakpoint. Returns
 * undefined if the run was not interrupted.
 */
export function questionsIn(values: unknown): OpenQuestion[] | undefined {
  const read = Interrupted.safeParse(values);
  return read.success ? read.data.__interrupt__ : undefined;
}

export function questionsOf(thread: { interrupts?: unknown }): OpenQuestion[] {
  const read = OpenQuestions.safeParse(thread.interrupts);
  return read.success ? Object.values(read.data).flat() : [];
}

/** Shows a question with its details. */
export function showQuestion(screen: Screen, value: unknown): void {
  const read = Question.safeParse(value);
  const question = read.success ? read.data : { prompt: "The graph asks", details: value, timeoutSeconds: undefined };
  screen.line("\n", ["yellow", "? "], ["bold", question.prompt]);
  if (question.details !== undefined && question.details !== null) screen.line(outline(question.details, "  "));
  const options = "options" in question ? question.options : [];
  options.forEach((option, index) => {
    screen.line(`  ${index + 1}  ${option}`);
  });
  if (question.timeoutSeconds) screen.line(["dim", `  After ${question.timeoutSeconds} s without an answer, the run goes on by itself.`]);
}

/** Returns an example of a valid answer to these questions. Commands show this example when they explain how to answer. */
export function exampleAnswer(questions: OpenQuestion[]): unknown {
  const [only, ...others] = questions;
  if (only && others.length === 0) return example(only.value);
  return Object.fromEntries(questions.map(({ id, value }) => [id, example(value)]));
}

function example(value: unknown): unknown {
  const question = Question.safeParse(value);
  if (!question.success) return "…";
  if (question.data.type === "approval") return exampleApproval(question.data);
  return question.data.type === "selection" ? question.data.options[0] : "…";
}

function exampleApproval({ action_requests: calls = [] }: { action_requests?: unknown[] }): unknown {
  return calls.length > 1 ? calls.map(() => ({ approved: true })) : { approved: true };
}
