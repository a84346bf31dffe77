import { z } from "zod";
import { type Db, sql } from "../db/sql.ts";

/** A question that a run left open on its thread. A node asks a question by calling `interrupt()`. */
export interface OpenQuestion {
  /** The id by which an answer names the question. If the same node asks again, the new question has the same id. */
  id: string;
  value: unknown;
  /** The JSON schema of a valid answer. Undefined if the graph gave no schema. */
  responseSchema: unknown;
}

/**
 * Matches the ids that LangGraph gives to interrupts. An answer is an object with a value for each question if all of its keys are such
 * ids. Any other answer is a single value.
 */
const interruptId = /^[0-9a-f]{32}$/;

const Interrupt = z
  .object({ id: z.string().regex(interruptId), value: z.unknown().optional(), response_schema: z.unknown().optional() })
  .transform(({ id, value, response_schema: responseSchema }): OpenQuestion => ({ id, value, responseSchema }));
const Interrupts = z.record(z.string(), z.array(z.unknown()));

/**
 * Returns a map from the ids of questions to their answers. Returns undefined if `resume` is one answer that names no question. LangGraph
 * distinguishes these two cases in the same way.
 */
export function answersById(resume: unknown): Map<string, unknown> | undefined {
  const entries = typeof resume === "object" && resume !== null ? Object.entries(resume) : [];
  return entries.length > 0 && entries.every(([key]) => interruptId.test(key)) ? new Map(entries) : undefined;
}

/** Returns the ids in an answer that match no open question. */
export function unaskedIds(questions: OpenQuestion[], resume: unknown): string[] {
  const ids = [...(answersById(resume)?.keys() ?? [])];
  return ids.filter((id) => !questions.some((question) => question.id === id));
}

/**
 * Returns the questions among the interrupts of a thread. Leaves out interrupts of static breakpoints, at which a graph stops without
 * asking anything.
 */
export function questionsIn(interrupts: unknown): OpenQuestion[] {
  const byTask = Interrupts.safeParse(interrupts).data ?? {};
  return Object.values(byTask)
    .flat()
    .flatMap((one) => Interrupt.safeParse(one).data ?? []);
}

/**
 * Returns the open questions of a thread. The caller must hold the thread's lock, because an answer could otherwise arrive at any moment.
 */
export async function openQuestions(db: Db, threadId: string): Promise<OpenQuestion[]> {
  const { rows } = await db.query<{ interrupts: unknown }>(sql`select interrupts from threads where thread_id = ${threadId}`);
  return questionsIn(rows[0]?.interrupts);
}
