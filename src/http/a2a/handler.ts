import type { AgentCard, SendMessageRequest, StreamResponse, SubscribeToTaskRequest, Task } from "@a2a-js/sdk";
import { A2AError, RequestMalformedError, UnsupportedOperationError } from "@a2a-js/sdk/errors";
import type { A2ARequestHandler } from "@a2a-js/sdk/server";
import { findTask, type TaskRun } from "../../runs/tasks.ts";
import { alreadyDecided } from "../admission/access.ts";
import { takePlaceAtRun } from "../admission/places.ts";
import { type Followed, keepAsking, lineOf, ownRequest } from "../admission/recheck.ts";
import { runOutput } from "../sse/follow.ts";
import { type A2aCall, findTaskOf, readableTasks, readTask } from "./a2a-call.ts";
import { type Failure, toProtocolError } from "./a2a-errors.ts";
import { cancelTask } from "./cancel-task.ts";
import { followTask } from "./follow-task.ts";
import { listTasks } from "./list-tasks.ts";
import { pushConfigs } from "./push-configs.ts";
import { acceptMessage } from "./send-message.ts";
import { toTask } from "./task-result.ts";
import { isOpen, isOver, phaseOf } from "./task-state.ts";

/** Returns the handler that the SDK calls for a request. The handler answers from the rows of runs and from the event log. */
export function createHandler(call: A2aCall, failure: Failure, card: () => Promise<AgentCard>): A2ARequestHandler {
  const asked = <Result>(answer: Promise<Result>) =>
    answer.catch((error) => {
      throw toProtocolError(error, failure);
    });
  const push = pushConfigs(call);
  return {
    getAgentCard: () => asked(card()),
    getAuthenticatedExtendedAgentCard: () => asked(card()),
    sendMessage: (params) => asked(sendMessage(call, params)),
    sendMessageStream: (params) => streamed(sendAndFollow(call, params), failure),
    getTask: ({ id, historyLength }) => asked(getTask(call, id, historyLength)),
    cancelTask: ({ id }) => asked(cancelTask(call, id).then((task) => toTask(call, task, { artifacts: true }))),
    listTasks: (params) => asked(listTasks(call, { ...params, historyLength: lengthOf(params.historyLength) })),
    resubscribe: (params) => streamed(subscribe(call, params), failure),
    createTaskPushNotificationConfig: (config) => asked(push.create(config)),
    getTaskPushNotificationConfig: (params) => asked(push.get(params)),
    listTaskPushNotificationConfigs: (params) => asked(push.list(params)),
    deleteTaskPushNotificationConfig: (params) => asked(push.remove(params)),
  };
}

async function* streamed(events: AsyncGenerator<StreamResponse, void, undefined>, failure: Failure) {
  try {
    yield* events;
  } catch (error) {
    throw toProtocolError(error, failure);
  }
}

function lengthOf(given: number | undefined): number | undefined {
  if (given === undefined || (Number.isInteger(given) && given >= 0)) return given;
  throw new RequestMalformedError("historyLength: must be a whole number that is not negative.");
}

async function getTask(call: A2aCall, id: string, historyLength: number | undefined): Promise<Task> {
  const length = lengthOf(historyLength);
  return toTask(call, await readTask(call, id), { historyLength: length, artifacts: true });
}

/** Creates the run for a message. Then waits until the run has ended, unless the client asks for an immediate response. */
async function sendMessage(call: A2aCall, params: SendMessageRequest): Promise<Task> {
  const { returnImmediately = false, historyLength } = params.configuration ?? {};
  const wanted = { historyLength: lengthOf(historyLength), artifacts: true };
  const { task, leave } = await acceptMessage(call, params, !returnImmediately);
  try {
    return await toTask(call, returnImmediately ? task : await waitFor(call, task), wanted);
  } catch (error) {
    throw cutting(call, error);
  } finally {
    leave();
  }
}

/**
 * Returns the error of a call whose message has already created a run. If the protocol has no code for the error, also closes the
 * connection. A response with a 5xx would tell the client that its message had no effect. A client that sends the message again after the
 * break gets the same task.
 */
function cutting({ reply }: A2aCall, error: unknown): unknown {
  if (!(error instanceof A2AError)) reply.raw.destroy();
  return error;
}

/**
 * Waits until a task has no open run, and returns the task. If the client disconnects first, returns the task in its state at that moment.
 */
async function waitFor(call: A2aCall, begun: TaskRun): Promise<TaskRun> {
  const { deps, request, reply, gone } = call;
  keepAsking(deps, request, ownRequest, lineOf(reply));
  let task = begun;
  while (isOpen(task) && !gone.aborted) {
    const { runId, threadId } = task;
    await runOutput(deps, { scope: alreadyDecided, runId, threadId }, { signal: gone });
    task = await findTaskOf(call, alreadyDecided, task.taskId);
  }
  return task;
}

async function* sendAndFollow(call: A2aCall, params: SendMessageRequest): AsyncGenerator<StreamResponse, void, undefined> {
  const { deps, request, reply } = call;
  const { task, leave } = await acceptMessage(call, params, true);
  try {
    keepAsking(deps, request, ownRequest, lineOf(reply));
    yield* followTask(call, task);
  } catch (error) {
    throw cutting(call, error);
  } finally {
    leave();
  }
}

async function* subscribe(call: A2aCall, { id }: SubscribeToTaskRequest): AsyncGenerator<StreamResponse, void, undefined> {
  const { deps, request, reply } = call;
  const task = await readTask(call, id);
  if (isOver(task))
    throw new UnsupportedOperationError(`The task is ${phaseOf(task)}, so it has no further updates. GetTask returns its result.`);
  const leave = takePlaceAtRun(deps, request, task.runId);
  try {
    keepAsking(deps, request, followedTask(call, task), lineOf(reply));
    yield* followTask(call, task);
  } finally {
    leave();
  }
}

/**
 * Returns the checks that are repeated while a client follows a task. The checks throw as soon as the client may no longer read the task.
 */
const followedTask = (call: A2aCall, { taskId }: TaskRun): Followed => ({
  decide: () => readableTasks(call, taskId),
  find: async (scope) => {
    if (!(await findTask(call.deps.pool, scope, taskId))) throw new Error("The client may no longer read this task.");
  },
});
