import { useSyncExternalStore } from "react";
import { answerOf, api, type Schemas, sentenceOf } from "../../../api.ts";
import { queries } from "../../../live.ts";
import { tell } from "../../../parts/toast.tsx";
import { noteEnd, noteRun, type PastRun } from "../history.ts";
import { bodyOf, type RunRequest } from "../request.ts";
import { followRun, type Place, postRun } from "./run-stream.ts";
import { emptyView, endAll, type RunView, takeEvent, takeResult, takeTimeline } from "./run-view.ts";

/** The phase of a session. "starting" lasts until the service has created the run, and "ending" while the result is read. */
export type Phase = "starting" | "streaming" | "ending" | "ended" | "refused";

/** The run that the page follows and shows. The page continues to follow it while another page of the console is open. */
export interface Session {
  /** The number of this session in the tab. It identifies the session before the run has an id. */
  serial: number;
  assistantId: string;
  name: string;
  threadId: string;
  runId: string | undefined;
  phase: Phase;
  isLost: boolean;
  status: PastRun["status"];
  startedAt: number;
  endedAt: number | undefined;
  view: RunView;
  /** The error that prevented the run from being created or followed. Undefined if there was no such error. */
  failure: unknown;
}

/** The maximum time between an event and its display, in milliseconds. */
const frameMs = 80;

let session: Session | undefined;
let version = 0;
let serial = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let leave = new AbortController();
const listeners = new Set<() => void>();

/** Returns the session of the page. While events arrive, the component is rendered again a few times per second. */
export function useSession(): Session | undefined {
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => version,
  );
  return session;
}

function publish(): void {
  if (timer) return;
  timer = setTimeout(() => {
    timer = undefined;
    version++;
    for (const listener of listeners) listener();
  }, frameMs);
}

type Started = Pick<Session, "assistantId" | "name" | "threadId" | "runId" | "startedAt">;

function begin(started: Started, view = emptyView()): Session {
  leave.abort();
  leave = new AbortController();
  const state = { phase: "starting" as const, isLost: false, status: "running" as const, endedAt: undefined, failure: undefined };
  session = { ...started, ...state, serial: ++serial, view };
  publish();
  return session;
}

/**
 * Starts a run and follows it. If another run was followed before, that run continues on the service, but the page no longer follows it.
 */
export async function startRun(request: RunRequest, name: string): Promise<void> {
  const threadId = request.threadId ?? crypto.randomUUID();
  const started = begin({ assistantId: request.assistantId, name, threadId, runId: undefined, startedAt: Date.now() });
  await guarded(started, async (watching) => {
    const { response, runId } = await postRun(threadId, bodyOf(request), watching);
    Object.assign(started, { runId, phase: "streaming" });
    const { assistantId, startedAt } = started;
    noteRun({ assistantId, name, threadId, runId, startedAt, status: "running" });
    await finish(started, { threadId, runId }, response, watching);
  });
}

/** Follows a run that this tab started before the page was loaded. */
export async function resumeRun({ assistantId, name, threadId, runId, startedAt }: PastRun): Promise<void> {
  const started = begin({ assistantId, name, threadId, runId, startedAt });
  started.phase = "streaming";
  await guarded(started, (watching) => finish(started, { threadId, runId }, undefined, watching));
}

/**
 * Follows the run that continues after an answer. The steps of the previous run stay on the page, because the two runs are one piece of
 * work.
 */
export async function followAnswer({ assistantId, name, threadId, view }: Session, run: Schemas["Run"]): Promise<void> {
  const place = { threadId, runId: run.run_id };
  const started = begin({ assistantId, name, ...place, startedAt: Date.now() }, { ...view, questions: [], output: undefined, attempt: 1 });
  started.phase = "streaming";
  noteRun({ assistantId, name, ...place, startedAt: started.startedAt, status: "running" });
  await guarded(started, (watching) => finish(started, place, undefined, watching));
}

type Watching = Parameters<typeof followRun>[2];

async function guarded(started: Session, work: (watching: Watching) => Promise<void>): Promise<void> {
  const { signal } = leave;
  const onLost = (isLost: boolean) => {
    started.isLost = isLost;
    publish();
  };
  const onEvent: Watching["onEvent"] = (event) => {
    takeEvent(started.view, event, Date.now());
    publish();
  };
  try {
    await work({ signal, onLost, onEvent });
  } catch (failure) {
    if (signal.aborted) return;
    endAll(started.view, Date.now(), "stopped");
    Object.assign(started, { failure, phase: started.runId ? "ended" : "refused", endedAt: Date.now(), isLost: false });
  }
  publish();
}

/** Follows a run to its end, and then reads its result and its times. */
async function finish(started: Session, place: Place, response: Response | undefined, watching: Watching): Promise<void> {
  await followRun(place, response, watching);
  started.phase = "ending";
  publish();
  const { signal } = watching;
  const params = { path: place };
  const [result, timeline, thread] = await Promise.all([
    answerOf(api.GET("/threads/{threadId}/runs/{runId}/join", { params, signal })),
    answerOf(api.GET("/threads/{threadId}/runs/{runId}/timeline", { params, signal })),
    answerOf(api.GET("/threads/{threadId}", { params: { path: { threadId: place.threadId } }, signal })),
  ]);
  const endedAt = timeline.ended_at ? Date.parse(timeline.ended_at) : Date.now();
  takeTimeline(started.view, timeline);
  endAll(started.view, endedAt, timeline.status === "error" ? "failed" : "stopped");
  takeResult(started.view, result);
  if (thread.status !== "interrupted") started.view.questions = [];
  const startedAt = Date.parse(timeline.started_at ?? timeline.created_at);
  Object.assign(started, { phase: "ended", status: timeline.status, startedAt, endedAt });
  noteEnd(place.runId, timeline.status);
  void queries.invalidateQueries({ queryKey: ["questions"] });
}

/** Cancels the run. The service then ends the run's stream, and the page reads the result as after any other end. */
export async function stopRun({ threadId, runId }: Session): Promise<void> {
  if (!runId) return;
  try {
    await answerOf(api.POST("/threads/{threadId}/runs/{runId}/cancel", { params: { path: { threadId, runId } } }));
  } catch (error) {
    tell(`The run could not be stopped. ${sentenceOf(error)}`, true);
  }
}
