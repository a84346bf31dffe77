import { ApiFailure, answerOf, answerWithHeaders, api, type Schemas } from "../../api.ts";
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

/**
 * Maps the id of a thread to a promise, if this page has sent an answer to one of the thread's questions. The promise settles when the run
 * that the latest answer started has ended. Until then, the thread has no open question, and the page holds back further answers for this
 * thread.
 */
const turns = new Map<string, Promise<void>>();
export const isAtWork = (threadId: string): boolean => turns.has(threadId);

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
export class NoLongerOpen extends Error {}

/**
 * Sends the answer to a question. First waits until the runs that earlier answers on the same thread have started are over. The lists hide
 * the question immediately, and show it again if the service refuses the answer. The new run has the settings of the run that asked the
 * question. Returns the new run.
 */
export async function answerQuestion(question: OpenQuestion, answer: unknown, options: AnswerOptions = {}): Promise<Schemas["Run"]> {
  const key = keyOf(question);
  sent.add(key);
  void queries.invalidateQueries({ queryKey: ["questions"] });
  try {
    return await inTurn(question.thread_id, () => send(question, answer, options));
  } finally {
    sent.delete(key);
    void queries.invalidateQueries({ queryKey: ["questions"] });
  }
}

/** Starts a run on a thread. First waits for the end of each run that this function has already started on the same thread. */
function inTurn(threadId: string, start: () => Promise<Schemas["Run"]>): Promise<Schemas["Run"]> {
  const run = (turns.get(threadId) ?? Promise.resolve()).then(start);
  const turn = run
    .then(untilEnded, () => {})
    .then(() => {
      if (turns.get(threadId) === turn) turns.delete(threadId);
      void queries.invalidateQueries({ queryKey: ["questions"] });
    });
  turns.set(threadId, turn);
  return run;
}

async function untilEnded({ thread_id: threadId, run_id: runId }: Schemas["Run"]): Promise<void> {
  for (let wait = 500; ; wait = Math.min(wait * 1.1, 5_000)) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    try {
      const run = await answerOf(api.GET("/threads/{threadId}/runs/{runId}", { params: { path: { threadId, runId } } }));
      if (run.status !== "pending" && run.status !== "running") return;
    } catch (error) {
      if (!isPassing(error)) return; // the error is permanent, for example because the run was deleted
    }
  }
}

// If the person closes the page while an answer is being sent, the answer is lost. The browser therefore asks for a confirmation first.
addEventListener("beforeunload", (event) => {
  if (sent.size > 0) event.preventDefault();
});

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
    if (isOver(error)) throw new NoLongerOpen(error.message);
    throw error;
  }
}

const isOver = (error: unknown): error is ApiFailure =>
  error instanceof ApiFailure &&
  (error.status === 404 || error.status === 409 || (error.status === 422 && error.message.includes("no question with this id is open")));
