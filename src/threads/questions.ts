import { z } from "zod";
import { type Db, sql } from "../db/sql.ts";

/** A question that a run left open on its thread: what `interrupt()` was given. */
export interface OpenQuestion {
  /** What an answer is addressed to. Of a node that asks again it is the same. */
  id: string;
  value: unknown;
  /** How an answer must look, as JSON schema, where the graph said so. */
  responseSchema: unknown;
}

/** The ids that LangGraph gives to interrupts. */
const interruptId = /^[0-9a-f]{32}$/;

const Interrupt = z
  .object({ id: z.string().regex(interruptId), value: z.unknown().optional(), response_schema: z.unknown().optional() })
  .transform(({ id, value, response_schema: responseSchema }): OpenQuestion => ({ id, value, responseSchema }));
const Interrupts = z.record(z.string(), z.array(z.unknown()));

/** Answers by the ids of their questions; undefined for what is one answer. LangGraph tells them apart in the same way. */
export function answersById(resume: unknown): Map<string, unknown> | undefined {
  const entries = typeof resume === "object" && resume !== null ? Object.entries(resume) : [];
  return entries.length > 0 && entries.every(([key]) => interruptId.test(key)) ? new Map(entries) : undefined;
}

/** Returns the ids of those answers that are for no open question. */
export function unaskedIds(questions: OpenQuestion[], resume: unknown): string[] {
  const ids = [...(answersById(resume)?.keys() ?? [])];
  return ids.filter((id) => !questions.some((question) => question.id === id));
}

/** The questions among what a thread shows as its interrupts. A run that stopped before a node left none. */
export function questionsIn(interrupts: unknown): OpenQuestion[] {
  const byTask = Interrupts.safeParse(interrupts).data ?? {};
  return Object.values(byTask)
    .flat()
    .flatMap((one) => Interrupt.safeParse(one).data ?? []);
}

/** What the thread waits to be told. Read it with the thread locked, or it may be told meanwhile. */
export async function openQuestions(db: Db, threadId: string): Promise<OpenQuestion[]> {
  const { rows } = await db.query<{ interrupts: unknown }>(sql`select interrupts from threads where thread_id = ${threadId}`);
  return questionsIn(rows[0]?.interrupts);
}
