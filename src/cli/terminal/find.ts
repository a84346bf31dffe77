import type { Client, Run, Thread } from "@langchain/langgraph-sdk";
import { z } from "zod";
import { type Connection, isNotFound } from "./connection.ts";

const pageSize = 50;

/** Yields all threads page by page. The most recently used threads come first. */
async function* threadPages(client: Client, status?: Thread["status"]): AsyncGenerator<Thread[]> {
  for (let offset = 0; ; offset += pageSize) {
    const page = await client.threads.search({
      limit: pageSize,
      offset,
      sortBy: "updated_at",
      select: ["thread_id", "updated_at"],
      ...(status && { status }),
    });
    if (page.length > 0) yield page;
    if (page.length < pageSize) return;
  }
}

/**
 * Returns the newest runs of all threads. Reads the most recently used threads first, and the creation of a run counts as a use. Stops when
 * no remaining thread can have a newer run.
 */
export async function newestRuns(client: Client, limit: number, status?: Run["status"]): Promise<Run[]> {
  const isOpen = status === "pending" || status === "running";
  let newest: Run[] = [];
  for await (const page of threadPages(client, isOpen ? "busy" : undefined)) {
    const lists = await Promise.all(page.map(({ thread_id }) => runsOf(client, thread_id, limit, status)));
    newest = [...newest, ...lists.flat()].sort((one, other) => other.created_at.localeCompare(one.created_at)).slice(0, limit);
    const oldest = newest.at(-1);
    if (oldest && newest.length === limit && (page.at(-1)?.updated_at ?? "") < oldest.created_at) break;
  }
  return newest;
}

/** Returns the newest runs of a thread, at most `limit`. Returns an empty list if the thread no longer exists. */
async function runsOf(client: Client, threadId: string, limit: number, status?: Run["status"]): Promise<Run[]> {
  return client.runs.list(threadId, { limit, ...(status && { status }) }).catch(none([]));
}

/** Returns the run with this id. The API finds a run only through its thread, so without `threadId` the function searches all threads. */
export async function findRun({ client, url }: Connection, runId: string, threadId?: string): Promise<Run | undefined> {
  if (!z.guid().safeParse(runId).success) throw new Error(`"${runId}" is not the id of a run.`);
  if (threadId) return client.runs.get(threadId, runId).catch(none(undefined));
  if (!(await exists(url, runId))) return undefined;
  for await (const page of threadPages(client)) {
    const found = await Promise.all(page.map(({ thread_id }) => client.runs.get(thread_id, runId).catch(none(undefined))));
    const run = found.find((each) => each !== undefined);
    if (run) return run;
  }
  return undefined;
}

/** Tells whether any thread has this run. Requests the run's stream, because the API finds a stream by the run's id alone. */
async function exists(url: string, runId: string): Promise<boolean> {
  const enough = new AbortController();
  const signal = AbortSignal.any([enough.signal, AbortSignal.timeout(10_000)]);
  const response = await fetch(`${url}/runs/${runId}/stream`, { signal });
  enough.abort();
  return response.status !== 404;
}

export async function findThread(client: Client, threadId: string): Promise<Thread | undefined> {
  return z.guid().safeParse(threadId).success ? client.threads.get(threadId).catch(none(undefined)) : undefined;
}

const Configured = z.object({ kwargs: z.object({ context: z.record(z.string(), z.unknown()) }) });

/** Returns the context with which a run was created, or undefined if it had none. */
export function contextOf(run: Run | undefined): Record<string, unknown> | undefined {
  return Configured.safeParse(run).data?.kwargs.context;
}

/** Returns a handler of rejected requests. The handler returns `nothing` for a 404 and rethrows any other error. */
function none<T>(nothing: T) {
  return (error: unknown): T => {
    if (isNotFound(error)) return nothing;
    throw error;
  };
}
