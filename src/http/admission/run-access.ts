import type { FastifyRequest } from "fastify";
import { toAssistantId } from "../../assistants/assistants.ts";
import { isId } from "../../db/ids.ts";
import type { Caller } from "../../runs/caller.ts";
import type { NewRun } from "../../runs/create.ts";
import { usableAssistants } from "./access.ts";

/** The actions that a route must declare in its `config.access` before it may create runs. */
export const runDecisions = ["threads:create_run", "assistants:read"] as const;

/** Asks auth whether the caller may create this run. Returns the caller, and the run with the changes of the project's auth handler. */
export async function admitRun(request: FastifyRequest, wanted: NewRun): Promise<{ caller: Caller; run: NewRun }> {
  const { scope: threads, value } = await request.access("threads:create_run", {
    thread_id: wanted.threadId,
    assistant_id: toAssistantId(wanted.assistantId),
    run_id: wanted.runId,
    status: "pending",
    metadata: wanted.metadata,
    prevent_insert_if_inflight: wanted.multitaskStrategy === "reject",
    multitask_strategy: wanted.multitaskStrategy,
    if_not_exists: wanted.createThread ? "create" : "reject",
    after_seconds: wanted.afterSeconds,
    kwargs: wanted.kwargs,
  });
  const assistants = await usableAssistants(request, wanted.assistantId, isOfGraph(wanted.assistantId));
  return {
    caller: { user: request.user, threads, assistants },
    run: { ...wanted, metadata: value.metadata ?? {}, kwargs: value.kwargs ?? wanted.kwargs },
  };
}

/**
 * Tells whether the id belongs to a graph's default assistant. Only such an assistant has a graph's name or a UUID of version 5 as its id.
 */
export const isOfGraph = (assistantId: string): boolean => !isId(assistantId) || assistantId[14] === "5";
