import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { ApiFailure, answerOf, answerWithHeaders, api, type Schemas } from "../../api.ts";
import { queries, useLive } from "../../live.ts";

/** A thread without its values and its config, which may be large. */
export type ThreadFacts = Omit<Schemas["Thread"], "values" | "config">;

/** The state of a thread at one checkpoint. */
export type State = Schemas["ThreadState"];

const facts = ["thread_id", "status", "metadata", "interrupts", "created_at", "updated_at", "state_updated_at"] as const;

async function readThread(threadId: string, signal: AbortSignal): Promise<ThreadFacts> {
  const body = { ids: [threadId], limit: 1, select: [...facts] };
  const [thread] = await answerOf(api.POST("/threads/search", { body, signal }));
  if (!thread) throw new ApiFailure(404, `There is no thread ${threadId}, or you may not see it.`);
  return thread;
}

/** Reads the status, the metadata and the open questions of a thread, and reads them again every 3 seconds. */
export const useThread = (threadId: string) => useLive(["thread", threadId], (signal) => readThread(threadId, signal), { every: 3_000 });

/** Immediately reads the data of a thread again. Call this after an action that changes the thread. */
export const refreshThread = (threadId: string) => {
  for (const name of ["thread", "history", "runs-of", "newest-run"]) void queries.invalidateQueries({ queryKey: [name, threadId] });
};

/** Cancels the runs of a thread that are pending or running. */
export async function cancelOpenRuns(threadId: string): Promise<void> {
  const body = { thread_id: threadId, status: ["pending" as const, "running" as const], select: ["run_id" as const] };
  const open = await answerOf(api.POST("/runs/search", { body }));
  const cancel = (runId: string) => api.POST("/threads/{threadId}/runs/{runId}/cancel", { params: { path: { threadId, runId } } });
  await Promise.all(open.map(({ run_id }) => answerOf(cancel(run_id))));
}

/** Reads the newest 100 runs of a thread, and reads them again every few seconds. */
export const useRuns = (threadId: string, isBusy: boolean) =>
  useLive(
    ["runs-of", threadId],
    (signal) =>
      answerOf(
        api.POST("/runs/search", {
          body: {
            thread_id: threadId,
            limit: 100,
            select: [
              "run_id",
              "thread_id",
              "assistant_id",
              "status",
              "created_at",
              "started_at",
              "ended_at",
              "duration_ms",
              "attempt",
              "error",
              "graph_id",
              "metadata",
            ],
          },
          signal,
        }),
      ),
    { every: isBusy ? 2_000 : 10_000 },
  );

/** Reads the newest run with its input and settings. */
export const readNewestRun = async (threadId: string, signal?: AbortSignal): Promise<Schemas["Run"] | null> => {
  const params = { path: { threadId }, query: { limit: 1 } };
  const [run] = await answerOf(api.GET("/threads/{threadId}/runs", { params, ...(signal && { signal }) }));
  return run ?? null;
};

/** The number of checkpoints in a page of the history. It is small, because the state of a checkpoint may be large. */
const pageSize = 20;

export const idOf = (state: State): string => String(state.checkpoint?.checkpoint_id ?? "");
export const parentOf = (state: State): string | undefined => {
  const id = state.parent_checkpoint?.checkpoint_id;
  return id === undefined || id === null ? undefined : String(id);
};

interface History {
  /** The states of the loaded checkpoints, the newest first. */
  states: State[];
  isLoading: boolean;
  error: unknown;
  /** Loads a page of earlier checkpoints. There is no function if all checkpoints are loaded. */
  more: (() => void) | undefined;
  isLoadingMore: boolean;
  refresh: () => void;
}

/** Reads the checkpoints of a thread page by page. Reads them again when the thread has changed. */
export function useHistory({ thread_id: threadId, status, state_updated_at: version }: ThreadFacts): History {
  const found = useInfiniteQuery({
    queryKey: ["history", threadId],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) => {
      const query = { limit: pageSize, ...(pageParam && { before: pageParam }) };
      const { data, headers } = await answerWithHeaders(
        api.GET("/threads/{threadId}/history", { params: { path: { threadId }, query }, signal }),
      );
      const last = data.at(-1);
      const isFull = data.length === pageSize || headers.has("x-pagination-next");
      return { states: data, next: isFull && last ? idOf(last) : undefined };
    },
    getNextPageParam: ({ next }) => next,
    refetchInterval: status === "busy" ? 3_000 : false,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a thread that has changed has new checkpoints
  useEffect(() => void found.refetch(), [version, status]);
  const states = useMemo(() => found.data?.pages.flatMap((page) => page.states) ?? [], [found.data]);
  return {
    states,
    isLoading: found.isPending,
    error: found.data ? undefined : found.error,
    more: found.hasNextPage ? () => void found.fetchNextPage() : undefined,
    isLoadingMore: found.isFetchingNextPage,
    refresh: () => void found.refetch(),
  };
}
