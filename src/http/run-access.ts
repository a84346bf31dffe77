import type { FastifyRequest } from "fastify";
import { toAssistantId } from "../assistants/assistants.ts";
import { isId, systemAssistantId } from "../db/ids.ts";
import type { Registry } from "../registry/registry.ts";
import type { Caller } from "../runs/caller.ts";
import type { NewRun } from "../runs/create.ts";
import { usableAssistants } from "./access.ts";

/** What a route must declare that makes runs. */
export const runDecisions = ["threads:create_run", "assistants:read"] as const;

/** Asks whether the caller may make this run, and returns it as the project's handler left it. */
export async function admitRun(request: FastifyRequest, registry: Registry, wanted: NewRun): Promise<{ caller: Caller; run: NewRun }> {
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
  const assistants = await usableAssistants(request, wanted.assistantId, isOfGraph(registry, wanted.assistantId));
  return {
    caller: { user: request.user, threads, assistants },
    run: { ...wanted, metadata: value.metadata ?? {}, kwargs: value.kwargs ?? wanted.kwargs },
  };
}

function isOfGraph(registry: Registry, assistantId: string): boolean {
  if (!isId(assistantId)) return registry.has(assistantId);
  return registry.graphIds.some((graphId) => systemAssistantId(graphId) === assistantId.toLowerCase());
}
