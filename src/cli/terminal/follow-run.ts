import type { Client } from "@langchain/langgraph-sdk";
import { z } from "zod";
import { isNotFound } from "./connection.ts";
import { type Part, readMoments } from "./moments.ts";
import { type OpenQuestion, questionsIn } from "./questions.ts";
import type { View } from "./view.ts";

/** The reason why the command stopped following a run. "asks" means that the run waits for answers, and "left" that the person has left. */
export type Ending =
  | { kind: "done"; values: unknown }
  | { kind: "asks"; questions: OpenQuestion[]; values: unknown }
  | { kind: "failed"; sentence: string; values: unknown }
  | { kind: "left"; runId: string | undefined };

export interface Stream {
  threadId: string;
  /** Returns the id of the run that the service has created, or undefined until the stream has reported the id. */
  runId: () => string | undefined;
  parts: AsyncIterable<Part>;
}

const Failed = z.object({ __error__: z.object({ error: z.string(), message: z.string() }) });

/** Shows a run until the run ends or the person leaves. Returns which of these happened, with the run's result. */
export async function followRun(client: Client, stream: Stream, view: View, leaving: AbortSignal): Promise<Ending> {
  let failure: string | undefined;
  let begun = false;
  const begin = () => {
    const runId = stream.runId();
    if (!begun && runId) view.begin({ threadId: stream.threadId, runId });
    begun ||= runId !== undefined;
  };
  try {
    for await (const part of stream.parts) {
      begin();
      view.part(part);
      for (const moment of readMoments(part)) if (moment.kind === "error") failure = `${moment.error}: ${moment.message}`;
    }
  } catch (error) {
    if (!leaving.aborted) throw error;
  } finally {
    view.pause();
  }
  const runId = stream.runId();
  if (leaving.aborted || !runId) return { kind: "left", runId };
  return settle(client, { threadId: stream.threadId, runId }, failure);
}

/** Returns how a run has ended, after its stream has ended. The service has stored the run's result by then. */
async function settle(client: Client, { threadId, runId }: { threadId: string; runId: string }, failure?: string): Promise<Ending> {
  const found = await Promise.all([client.runs.get(threadId, runId), client.runs.join(threadId, runId)]).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (!found) return { kind: "failed", sentence: "The run was cancelled and removed.", values: null };
  const [{ status }, values] = found;
  if (status === "success") {
    const questions = questionsIn(values);
    return questions ? { kind: "asks", questions, values } : { kind: "done", values };
  }
  if (status === "interrupted") return { kind: "failed", sentence: "The run was cancelled.", values };
  return { kind: "failed", sentence: `The run failed: ${failure ?? errorIn(values) ?? status}`, values };
}

function errorIn(values: unknown): string | undefined {
  const read = Failed.safeParse(values);
  return read.success ? `${read.data.__error__.error}: ${read.data.__error__.message}` : undefined;
}
