import { createHash } from "node:crypto";
import { type Message, Role, type SendMessageRequest } from "@a2a-js/sdk";
import { RequestMalformedError, UnsupportedOperationError } from "@a2a-js/sdk/errors";
import { isId } from "../../db/ids.ts";
import type { RunCheck } from "../../runs/create.ts";
import { type IdempotentRequest, madeForKey } from "../../runs/idempotency.ts";
import type { RunRequest } from "../../runs/request.ts";
import type { Run } from "../../runs/run.ts";
import { findTask, type TaskRun } from "../../runs/tasks.ts";
import { alreadyDecided } from "../admission/access.ts";
import { takePlaceAtRun } from "../admission/places.ts";
import { makeRun } from "../runs/make-runs.ts";
import { runCheck } from "../runs/run-check.ts";
import { toNewRun } from "../runs/run-request.ts";
import { type A2aCall, findTaskOf, readTask } from "./a2a-call.ts";
import { answerIn, inputOf } from "./message-input.ts";
import { store, validConfig } from "./push-configs.ts";
import { phaseOf } from "./task-state.ts";

/**
 * The task of an accepted message. If the client waits for the task, it counts towards the limits on waiting clients until `leave` is
 * called.
 */
export interface Accepted {
  task: TaskRun;
  leave: () => void;
}

/**
 * Creates the run for a message, and returns the run's task. A message that the client sends a second time gets the run of the first. With
 * `follows`, the client first takes a place among the waiting clients. If there is no free place, the message is refused before it creates
 * a run.
 */
export async function acceptMessage(call: A2aCall, params: SendMessageRequest, follows: boolean): Promise<Accepted> {
  const message = validMessage(params.message);
  const { deps, request } = call;
  const { wanted, check, taskId } = await plan(call, message, params);
  const push = params.configuration?.taskPushNotificationConfig;
  const config = push && validConfig(call, push, taskId);
  const leave = follows ? takePlaceAtRun(deps, request, wanted.runId) : () => {};
  try {
    const run = await makeRun(deps, request, wanted, {
      key: keyOf(call, message),
      check,
      ...(config && { prepare: (tx) => store(tx, config) }),
    });
    const task = run.run_id === wanted.runId ? newTask(run, taskId) : await findTaskOf(call, alreadyDecided, run.run_id);
    return { task, leave };
  } catch (error) {
    leave();
    throw error;
  }
}

/**
 * Returns the task of a run that was just created, without a query. A query could fail, but the response must not be an error once the run
 * exists.
 */
const newTask = (run: Run, taskId: string): TaskRun => ({
  taskId,
  runId: run.run_id,
  threadId: run.thread_id,
  assistantId: run.assistant_id,
  status: run.status,
  error: null,
  updatedAt: run.updated_at,
  changed: "",
  seq: "",
  interrupts: null,
  asked: false,
});

function validMessage(message: Message | undefined): Message {
  if (!message) throw new RequestMalformedError("message: is required.");
  if (!message.messageId) throw new RequestMalformedError("message.messageId: is required.");
  if (message.parts.length === 0) throw new RequestMalformedError("message.parts: at least one part is required.");
  if (message.role === Role.ROLE_AGENT) throw new RequestMalformedError("message.role: must be the user's role.");
  if (message.contextId && !isId(message.contextId)) {
    throw new RequestMalformedError("message.contextId: must be a UUID. Leave it out, and the agent begins a new context.");
  }
  return message;
}

async function plan(call: A2aCall, message: Message, { metadata }: SendMessageRequest) {
  const { deps, request, assistant } = call;
  const common: RunRequest = {
    assistant_id: assistant.assistant_id,
    stream_mode: ["values", "messages-tuple"],
    on_completion: "keep",
    ...(metadata && { metadata }),
  };
  const newRun = (more: Partial<RunRequest>, threadId: string | undefined) =>
    toNewRun(deps.settings, { ...common, ...more }, { threadId, headers: request.headers });
  if (!message.taskId) {
    const input = await inputOf(deps.registry, assistant.graph_id, message);
    const threadId = message.contextId.toLowerCase() || undefined;
    const wanted = newRun({ input, if_not_exists: "create" }, threadId);
    return { wanted, check: runCheck(deps.registry), taskId: wanted.runId };
  }
  const task = await readTask(call, message.taskId);
  if (message.contextId && message.contextId.toLowerCase() !== task.threadId) {
    throw new RequestMalformedError(`message.contextId: task ${task.taskId} belongs to the context ${task.threadId}.`);
  }
  const isKnown = (await madeForKey(deps.pool, keyOf(call, message))) !== undefined;
  if (!isKnown) refuseUnlessWaiting(task);
  const { taskId } = task;
  return { wanted: newRun({ command: { resume: answerIn(message) } }, task.threadId), check: checkAnswer(call, taskId), taskId };
}

function refuseUnlessWaiting(task: TaskRun | undefined): void {
  if (task && phaseOf(task) === "waiting") return;
  const state = task ? phaseOf(task) : "canceled";
  throw new UnsupportedOperationError(
    `The task is ${state}, so it takes no message. Send the message without taskId, and the agent begins a new task in the context.`,
  );
}

/**
 * Returns the check for an answer. The check reads the task again while the thread is locked, because another answer may have come first.
 */
function checkAnswer({ deps }: A2aCall, taskId: string): RunCheck {
  const check = runCheck(deps.registry);
  return async (tx, asked) => {
    refuseUnlessWaiting(await findTask(tx, alreadyDecided, taskId));
    await check(tx, asked);
  };
}

/**
 * Returns the key by which a message is recognised when it arrives again. The key covers the content as well as the id, because some
 * clients use the same id for different messages. The key begins with a word and a space, which no Idempotency-Key of a client contains.
 */
function keyOf({ assistant, request }: A2aCall, message: Message): IdempotentRequest {
  const { messageId, contextId, taskId, parts } = message;
  const content = JSON.stringify([assistant.assistant_id, messageId, contextId, taskId, parts]);
  const digest = createHash("sha256").update(content).digest("base64url");
  return { key: `a2a ${digest}`, identity: request.user?.identity, request: digest };
}
