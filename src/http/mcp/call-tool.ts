import { setTimeout as sleep } from "node:timers/promises";
import { type CallToolResult, type InputRequiredResult, MissingRequiredClientCapabilityError } from "@modelcontextprotocol/server";
import type { ToolAssistant } from "../../assistants/tools.ts";
import { newId } from "../../db/ids.ts";
import type { Run } from "../../runs/run.ts";
import { keepTemporaryThread } from "../../threads/retention.ts";
import { alreadyDecided } from "../admission/access.ts";
import { takePlaceAtRun } from "../admission/places.ts";
import { goneOf } from "../gone.ts";
import { makeRun } from "../runs/make-runs.ts";
import { toNewRun } from "../runs/run-request.ts";
import { cancelAbandoned } from "../sse/follow.ts";
import { answersIn, continueCall } from "./answers.ts";
import { knowsTasks, type McpCall, tasksExtension } from "./mcp-call.ts";
import { failedResult, refusedCall } from "./mcp-errors.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import { sendProgress, streamModesFor } from "./progress.ts";
import { asQuestions } from "./questions.ts";
import { keptMinutes, newTask } from "./task.ts";
import { findTool, taskUseOf } from "./tools.ts";

/**
 * How long a call waits before it becomes a task, in milliseconds, if the assistant's setting `tasks` is "auto". Five seconds are well
 * below the minute that most MCP clients wait for a tool.
 */
const patienceMs = 5_000;

type Result = CallToolResult | InputRequiredResult;

/**
 * Calls a tool. Starts a run of the tool's assistant, or continues an earlier run if the call contains answers. Returns a result,
 * questions, or a task.
 */
export async function callTool(call: McpCall, name: string, args: Record<string, unknown>): Promise<Result> {
  const tool = await findTool(call, name);
  refuseWithoutTasks(call, tool);
  // The client is counted before the run is created. If it were refused afterwards, each of its retries would create another run.
  const leave = takePlaceAtRun(call.deps, call.request, newId());
  try {
    const answers = answersIn(call, args);
    const run = answers ? await continueCall(call, tool, answers) : await start(call, tool, args);
    if (!("run_id" in run)) return run as Result;
    const result = await follow(call, tool, run as Run);
    return answers ? result : await answerAtOnce(call, tool, result);
  } catch (error) {
    return refusedCall(call, error);
  } finally {
    leave();
  }
}

/** Refuses a client that does not support tasks, if the assistant requires a task for each call. */
function refuseWithoutTasks({ context }: McpCall, tool: ToolAssistant): void {
  if (taskUseOf(tool) !== "required" || knowsTasks(context)) return;
  throw new MissingRequiredClientCapabilityError(
    { requiredCapabilities: { extensions: { [tasksExtension]: {} } } },
    `The tool "${tool.tool}" takes so long that it always becomes a task. The client must support ${tasksExtension}.`,
  );
}

/**
 * Starts a run on a new thread. The thread is deleted after the run, as for any stateless run. It is kept for a day if the run asks
 * questions or becomes a task.
 */
async function start({ deps, request, context }: McpCall, tool: ToolAssistant, input: Record<string, unknown>): Promise<Run> {
  const body = {
    assistant_id: tool.assistant_id,
    input,
    metadata: { mcp_tool: tool.tool },
    stream_mode: streamModesFor(context),
  };
  const wanted = toNewRun(deps.settings, body, { threadId: undefined, headers: request.headers });
  return makeRun(deps, request, { ...wanted, isAnswerable: true });
}

/**
 * Continues a call whose run has just asked questions, if the client sent answers to them together with the call. Otherwise, returns
 * `result` unchanged.
 */
async function answerAtOnce(call: McpCall, tool: ToolAssistant, result: Result): Promise<Result> {
  const { inputResponses: responses = {} } = call.context.mcpReq;
  const { requestState: state } = result;
  if (typeof state !== "string" || Object.keys(responses).length === 0) return result;
  const run = await continueCall(call, tool, { state, responses, isPlain: false });
  return "run_id" in run ? follow(call, tool, run as Run) : (run as Result);
}

/** Waits for a run, and sends its progress meanwhile. */
async function follow(call: McpCall, tool: ToolAssistant, run: Run): Promise<Result> {
  const { deps, reply, context } = call;
  const gone = AbortSignal.any([goneOf(reply.raw), context.mcpReq.signal]);
  const over = new AbortController();
  const until = AbortSignal.any([gone, over.signal]);
  try {
    const progress = sendProgress(deps, run.run_id, context, until);
    const outcome = await Promise.race([outcomeOf(deps, run, until), patience(call, tool, until)]);
    if (outcome === "task") return await toTask(call, run);
    if (outcome === undefined) return await abandon(call, run);
    await progress; // the client gets all progress notifications before the result
    return await settle(call, run, outcome);
  } finally {
    over.abort();
  }
}

/**
 * Resolves with "task" when the call should become a task, or with undefined if `signal` aborts first. Never resolves if the call must not
 * become a task.
 */
async function patience({ context }: McpCall, tool: ToolAssistant, signal: AbortSignal): Promise<"task" | undefined> {
  const use = taskUseOf(tool);
  if (!knowsTasks(context) || use === "never") return new Promise(() => {});
  if (use === "auto") await sleep(patienceMs, undefined, { signal }).catch(() => {});
  return signal.aborted ? undefined : "task";
}

async function toTask({ deps }: McpCall, run: Run): Promise<Result> {
  await keepTemporaryThread(deps.pool, run.thread_id, keptMinutes);
  return newTask(run) as unknown as CallToolResult;
}

async function settle(call: McpCall, run: Run, outcome: Outcome): Promise<Result> {
  if (outcome.kind === "cancelled") return failedResult("The run was cancelled.");
  if (outcome.kind === "failure") return failedResult(outcome.reason);
  if (outcome.kind === "result") return outcome.result;
  await keepTemporaryThread(call.deps.pool, run.thread_id, keptMinutes);
  return asQuestions(call, run, outcome.asked);
}

/**
 * Handles a call whose client has disconnected. In version 2026-07-28 of the protocol, a client cancels a call by closing its connection,
 * so the run is cancelled. In older versions, a closed connection does not cancel the call, so the run continues.
 */
async function abandon({ deps, isModern }: McpCall, { run_id: runId, thread_id: threadId }: Run): Promise<Result> {
  if (isModern) await cancelAbandoned(deps, { cancelScope: alreadyDecided, runId, threadId });
  return failedResult("The client has disconnected.");
}
