import type { FastifyRequest } from "fastify";
import { toAssistantId } from "../../assistants/assistants.ts";
import { isId } from "../../db/ids.ts";
import type { Caller } from "../../runs/caller.ts";
import type { NewRun } from "../../runs/create.ts";
import { usableAssistants } from "./access.ts";

/** The decisions that a route must declare to create runs. */
export const runDecisions = ["threads:create_run", "assistants:read"] as const;

/** Checks that the caller may create this run, and returns it as the project's handler left it. */
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

/** Returns whether this is a graph's own assistant. Its id is the graph's name or a version 5 UUID, which no other assistant has. */
const isOfGraph = (assistantId: string): boolean => !isId(assistantId) || assistantId[14] === "5";
