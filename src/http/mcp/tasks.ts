import { MissingRequiredClientCapabilityError, ProtocolErrorCode, type ServerContext } from "@modelcontextprotocol/server";
import { isId } from "../../db/ids.ts";
import type { Scope } from "../../db/scope.ts";
import { ServiceError } from "../../errors.ts";
import type { Run } from "../../runs/run.ts";
import { findThread, type Thread, updateThread } from "../../threads/threads.ts";
import { cancellable } from "../routes/cancellation.ts";
import { cancelRuns } from "../runs/cancel-runs.ts";
import { answer, answersFrom, isAnswered, newestRun } from "./answers.ts";
import { knowsTasks, type McpRequest, tasksExtension } from "./mcp-call.ts";
import { failedResult, invalidParams } from "./mcp-errors.ts";
import { outcomeOf } from "./outcome.ts";
import { inputRequestsOf, unanswered } from "./questions.ts";
import { taskFields } from "./task.ts";

/** A task: a thread that was created by a call of a tool, and the newest run of this thread. */
interface Task {
  thread: Thread;
  run: Run;
}

/** Refuses a client that has not declared that it knows tasks. */
export function requireTasks(context: ServerContext): void {
  if (knowsTasks(context)) return;
  throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [tasksExtension]: {} } } });
}

/** Returns a task with its status, and with its result or its open questions. */
export async function getTask(mcp: McpRequest, taskId: string): Promise<Record<string, unknown>> {
  const { scope } = await mcp.request.access("threads:read", { thread_id: taskId });
  const { thread, run } = await findTask(mcp, scope, taskId);
  const updatedAt = run.updated_at > thread.updated_at ? run.updated_at : thread.updated_at;
  return { ...taskFields(taskId, thread.created_at, updatedAt), ...(await statusOf(mcp, { thread, run })) };
}

async function findTask({ deps }: McpRequest, scope: Scope, taskId: string): Promise<Task> {
  const unknown = () => invalidParams(`Unknown task: ${taskId.slice(0, 200)}`);
  const thread = isId(taskId) ? await findThread(deps.pool, scope, taskId) : undefined;
  if (typeof thread?.metadata.mcp_tool !== "string") throw unknown();
  const run = await newestRun(deps.pool, taskId).catch((error) => {
    throw error instanceof ServiceError ? unknown() : error;
  });
  return { thread, run };
}

/**
 * A key in the metadata of a thread. It marks the thread's task as cancelled, if the task had no open run at that time whose status could
 * show this.
 */
const cancelledMark = "mcp_cancelled";

async function statusOf({ deps }: McpRequest, { thread, run }: Task): Promise<Record<string, unknown>> {
  if (thread.metadata[cancelledMark] === true) return { status: "cancelled" };
  const asked = await unanswered(deps.pool, thread.thread_id);
  if (asked.length > 0 && run.status !== "interrupted") return { status: "input_required", inputRequests: inputRequestsOf(asked) };
  if (run.status === "pending" || run.status === "running") return { status: "working" };
  const outcome = await outcomeOf(deps, run, AbortSignal.timeout(10_000)); // does not wait, because the run has ended
  if (outcome?.kind === "result") return { status: "completed", result: { resultType: "complete", ...outcome.result } };
  return outcome?.kind === "failure" ? statusOfFailure(outcome) : { status: "cancelled" };
}

/**
 * Returns the status of a task whose run has failed. If the graph failed, the task is completed, and the error is the result of the tool.
 * If the service itself ended the run, the task has failed.
 */
function statusOfFailure({ reason, isAborted }: { reason: string; isAborted: boolean }): Record<string, unknown> {
  if (isAborted) return { status: "failed", error: { code: ProtocolErrorCode.InternalError, message: reason } };
  return { status: "completed", result: { resultType: "complete", ...failedResult(reason) } };
}

/**
 * Answers the questions of a task with the client's responses. Ignores responses to questions that are not open. If the user declines a
 * question, the task is cancelled.
 */
export async function updateTask(mcp: McpRequest, taskId: string, responses: Record<string, unknown>): Promise<Record<string, never>> {
  const { scope } = await mcp.request.access("threads:read", { thread_id: taskId });
  const { thread, run } = await findTask(mcp, scope, taskId);
  if (thread.metadata[cancelledMark] === true) return {};
  const resume = answersFrom(await unanswered(mcp.deps.pool, taskId), responses);
  if (resume === "declined") return cancelTask(mcp, taskId);
  if (Object.keys(resume).length === 0) return {};
  await answer(mcp, { asker: run, resume, streamModes: ["custom"] }).catch((error) => {
    if (!isAnswered(error)) throw error;
  });
  return {};
}

/** Cancels a task. Does nothing if the task has ended. */
export async function cancelTask(mcp: McpRequest, taskId: string): Promise<Record<string, never>> {
  const { deps, request } = mcp;
  const action = "interrupt" as const;
  const readable = isId(taskId) ? (await request.access("threads:read", { thread_id: taskId })).scope : undefined;
  if (!readable) throw invalidParams(`Unknown task: ${taskId.slice(0, 200)}`);
  const { run } = await findTask(mcp, readable, taskId);
  const runIds = [run.run_id];
  const scope = await cancellable(request, { action, threadId: taskId, runIds });
  const cancelled = await cancelRuns(deps, scope, { threadId: taskId, runIds, action });
  if (cancelled === 0 && (await unanswered(deps.pool, taskId)).length > 0)
    await updateThread(deps.pool, scope, taskId, { metadata: { [cancelledMark]: true } });
  return {};
}
