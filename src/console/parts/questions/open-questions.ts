import { notifyManager } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { ApiFailure, answerOf, answerWithHeaders, api, type Schemas, sentenceOf } from "../../api.ts";
import type { paths } from "../../api-types.ts";
import { isPassing, queries } from "../../live.ts";
import { readSettings } from "../../run-settings.ts";
import type { PageOfRows } from "../use-pages.ts";

export type OpenQuestion = Schemas["Interrupt"];
export type QuestionSearch = paths["/interrupts/search"]["post"]["requestBody"]["content"]["application/json"];

/**
 * Returns the key that identifies a question on the page. Questions on two threads may have the same id, so the key contains the thread.
 */
export const keyOf = ({ thread_id, interrupt_id }: Pick<OpenQuestion, "thread_id" | "interrupt_id">): string =>
  `${thread_id}.${interrupt_id}`;

/** The keys of the questions whose answers are being sent. The lists do not show these questions. */
const sent = new Set<string>();

/** The keys of the questions whose answers are being processed: from the moment of sending until the run that continues has ended. */
const inProgress = new Set<string>();
const watchers = new Set<() => void>();

function setInProgress(key: string, isInProgress: boolean): void {
  if (isInProgress) inProgress.add(key);
  else inProgress.delete(key);
  for (const watcher of watchers) watcher();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export const isBeingSent = (question: OpenQuestion): boolean => sent.has(keyOf(question));

/**
 * Tells whether a question must wait, because its thread is processing this page's answer to another question. A thread that works has no
 * open question, and refuses answers.
 */
export const mustWait = (question: OpenQuestion): boolean =>
  [...inProgress].some((key) => key.startsWith(`${question.thread_id}.`) && key !== keyOf(question));

/** Returns the value of `mustWait`, and renders the component again when the value changes. */
export const useMustWait = (question: OpenQuestion): boolean => useSyncExternalStore(watch, () => mustWait(question));

/** Searches open questions, by default on all threads. Leaves out the questions whose answers this page is sending. */
export async function searchQuestions(body: QuestionSearch, signal?: AbortSignal): Promise<PageOfRows<OpenQuestion>> {
  const { data, headers } = await answerWithHeaders(api.POST("/interrupts/search", { body, ...(signal && { signal }) }));
  const rows = data.filter((question) => !sent.has(keyOf(question)));
  return { rows, total: Number(headers.get("x-pagination-total") ?? data.length) - (data.length - rows.length) };
}

type RunBody = paths["/threads/{threadId}/runs"]["post"]["requestBody"]["content"]["application/json"];
type StreamMode = Extract<RunBody["stream_mode"], unknown[]>[number];

/** The stream options of the run that continues after an answer. */
interface AnswerOptions {
  stream_mode?: readonly StreamMode[];
  stream_subgraphs?: boolean;
  stream_resumable?: boolean;
}

/**
 * The error for an answer to a question that is no longer open. For example, somebody else has answered the question, its time has run out,
 * or a new run has continued the thread.
 */
export class NoLongerOpen extends Error {
  /** The time at which the question was asked. The same question can be asked again later, and is open then. */
  askedAt: OpenQuestion["created_at"];

  constructor(message: string, { created_at }: OpenQuestion) {
    super(message);
    this.askedAt = created_at;
  }
}

/** Returns what a person is told if the service refuses an answer. */
export const refusalOf = (error: unknown): string =>
  `The answer was not accepted. ${error instanceof NoLongerOpen ? "The question was no longer open." : sentenceOf(error)}`;

/**
 * Sends the answer to a question. The lists hide the question immediately, and show it again if the service refuses the answer. The new run
 * has the settings of the run that asked the question. Returns the new run.
 */
export async function answerQuestion(question: OpenQuestion, answer: unknown, options: AnswerOptions = {}): Promise<Schemas["Run"]> {
  const key = keyOf(question);
  sent.add(key);
  setInProgress(key, true);
  void refreshQuestions();
  try {
    const run = await send(question, answer, options);
    sent.delete(key);
    void refreshQuestions();
    void untilEnded(run).then(() => conclude(key));
    return run;
  } catch (error) {
    sent.delete(key);
    await conclude(key); // the list contains the question again before the page shows the error
    throw error;
  }
}

/**
 * Reads the lists again, and then ends the waiting of the thread's other questions. The components must get the new list first: otherwise
 * they show a waiting question as closed for a moment, and its form loses the focus.
 */
async function conclude(key: string): Promise<void> {
  await refreshQuestions();
  await new Promise<void>((resolve) => notifyManager.schedule(resolve));
  setInProgress(key, false);
}

const refreshQuestions = () => queries.invalidateQueries({ queryKey: ["questions"] });

/** Waits until a run has ended or no longer exists. */
async function untilEnded({ thread_id: threadId, run_id: runId }: Schemas["Run"]): Promise<void> {
  for (let wait = 250; ; wait = Math.min(wait * 1.3, 10_000)) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    try {
      const run = await answerOf(api.GET("/threads/{threadId}/runs/{runId}", { params: { path: { threadId, runId } } }));
      if (run.status !== "pending" && run.status !== "running") return;
    } catch (error) {
      if (!isPassing(error)) return;
    }
  }
}

async function send(question: OpenQuestion, answer: unknown, { stream_mode: modes = [], ...options }: AnswerOptions) {
  const { thread_id: threadId, run_id, interrupt_id, assistant_id, graph_id } = question;
  const settings = (await readSettings(threadId, run_id)) ?? { assistant_id: assistant_id ?? graph_id ?? "" };
  const body = {
    ...settings,
    ...options,
    ...(modes.length > 0 && { stream_mode: [...modes] }),
    command: { resume: { [interrupt_id]: answer } },
    strict_resume: true,
    multitask_strategy: "reject" as const, // a busy thread has no open question, so the service must refuse this run
  };
  try {
    return await answerOf(api.POST("/threads/{threadId}/runs", { params: { path: { threadId } }, body }));
  } catch (error) {
    if (isOver(error)) throw new NoLongerOpen(error.message, question);
    throw error;
  }
}

const isOver = (error: unknown): error is ApiFailure =>
  error instanceof ApiFailure &&
  (error.status === 404 || error.status === 409 || (error.status === 422 && error.message.includes("no question with this id is open")));
