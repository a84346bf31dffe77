import { answerOf, answerWithHeaders, api, type Schemas } from "../../api.ts";
import { queries, useLive } from "../../live.ts";

export type Run = Schemas["Run"];
export type Timeline = Schemas["Timeline"];
export type Attempt = Timeline["attempts"][number];
export type Span = Attempt["spans"][number];
export type State = Schemas["ThreadState"];

/** The ids that identify a run in the API. */
export interface RunPath {
  threadId: string;
  runId: string;
}

/**
 * Milliseconds between two reads of a run: while it is open, and after its end. An ended run is read again only because it may be deleted.
 */
const every = { open: 2_000, over: 60_000 };

export const isOpen = (status: Run["status"] | undefined): boolean => status === "pending" || status === "running";

export function useRun(path: RunPath) {
  const key = ["run", path];
  const known = queries.getQueryData<Run>(key);
  const read = (signal: AbortSignal) => answerOf(api.GET("/threads/{threadId}/runs/{runId}", { params: { path }, signal }));
  return useLive(key, read, { every: known && !isOpen(known.status) ? every.over : every.open });
}

/** A timeline, and the milliseconds by which the service's clock is ahead of this browser's clock. */
export interface Measured {
  timeline: Timeline;
  aheadMs: number;
}

export const useTimeline = (path: RunPath, goesOn: boolean) =>
  useLive(["timeline", path, goesOn], (signal) => readTimeline(path, signal), { every: goesOn ? every.open : every.over });

async function readTimeline(path: RunPath, signal: AbortSignal): Promise<Measured> {
  const call = api.GET("/threads/{threadId}/runs/{runId}/timeline", { params: { path }, signal });
  const { data: timeline, headers } = await answerWithHeaders(call);
  const ahead = Date.parse(headers.get("date") ?? "") - Date.now();
  return { timeline, aheadMs: Math.abs(ahead) > 2_000 ? ahead : 0 }; // ignores small differences, because the header has only whole seconds
}

/** Reads the state at the last checkpoint of a run. The data is null if the run has no checkpoint. */
export const useLastState = (path: RunPath, goesOn: boolean) =>
  useLive(["run-state", path, goesOn], async (signal) => (await readCheckpoints(path, 1, signal))[0] ?? null, {
    every: goesOn ? every.open : every.over,
  });

/** Reads the newest checkpoints of a run, at most `limit` of them. */
export const readCheckpoints = ({ threadId, runId }: RunPath, limit: number, signal?: AbortSignal): Promise<State[]> =>
  answerOf(
    api.POST("/threads/{threadId}/history", {
      params: { path: { threadId } },
      body: { limit, metadata: { run_id: runId } },
      ...(signal && { signal }),
    }),
  );

/** The type and the message of the error that ended a run. */
export interface RunError {
  error?: string;
  message?: string;
}

/**
 * Reads the error of a failed run. Only the search of runs returns errors, and it cannot search by the id of a run. The request therefore
 * searches by the run's thread and its time of creation.
 */
export const useRunError = (run: Run | undefined) =>
  useLive(["run-error", run?.run_id, run?.status], (signal) => readError(run as Run, signal), {
    every: every.over,
    enabled: run?.status === "error" || run?.status === "timeout",
  });

async function readError({ run_id, thread_id, created_at }: Run, signal: AbortSignal): Promise<RunError | null> {
  const until = new Date(Date.parse(created_at) + 1).toISOString();
  const body = { thread_id, created_since: created_at, created_until: until, select: ["run_id" as const, "error" as const] };
  const found = (await answerOf(api.POST("/runs/search", { body, signal }))) as { run_id: string; error: RunError | null }[];
  return found.find((one) => one.run_id === run_id)?.error ?? null;
}

export const useAssistant = (assistantId: string | undefined) =>
  useLive(
    ["assistant", assistantId],
    (signal) => answerOf(api.GET("/assistants/{assistantId}", { params: { path: { assistantId: assistantId ?? "" } }, signal })),
    { every: 60_000, enabled: assistantId !== undefined },
  );
