import { RequestMalformedError, TaskNotFoundError } from "@a2a-js/sdk/errors";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Assistant } from "../../assistants/assistants.ts";
import { isId } from "../../db/ids.ts";
import type { Scope } from "../../db/scope.ts";
import { findTask, type TaskRun } from "../../runs/tasks.ts";
import type { StartDeps } from "../runs/start-run.ts";

/** A request to the A2A endpoint of an assistant. */
export interface A2aCall {
  deps: StartDeps;
  request: FastifyRequest;
  reply: FastifyReply;
  assistant: Assistant;
  /** The version of the protocol that the client speaks. */
  version: "1.0" | "0.3";
  /** Aborts when the client has disconnected. */
  gone: AbortSignal;
}

/**
 * Returns the scope of the tasks that the caller may read. Asks auth about the task's first run, because the id of that run is the id of
 * the task.
 */
export const readableTasks = async ({ request }: A2aCall, taskId: string): Promise<Scope> =>
  (await request.access("threads:read", { run_id: taskId })).scope;

/** Returns a task of the assistant. Throws if the task does not exist, or if the caller may not read it. */
export async function readTask(call: A2aCall, id: string): Promise<TaskRun> {
  if (!id) throw new RequestMalformedError("The id of the task is missing.");
  const scope = await readableTasks(call, id);
  return findTaskOf(call, scope, id);
}

/** Returns a task of the assistant within a scope. Throws the protocol's error if there is none. */
export async function findTaskOf({ deps, assistant }: A2aCall, scope: Scope, id: string): Promise<TaskRun> {
  const task = isId(id) ? await findTask(deps.pool, scope, id.toLowerCase()) : undefined;
  if (!task || task.assistantId !== assistant.assistant_id) throw new TaskNotFoundError(`Task not found: ${id.slice(0, 100)}`);
  return task;
}
