import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type RunnableConfig, raceWithSignal } from "@langchain/core/runnables";
import { effectsOf } from "../effect-memory.ts";
import type { Endpoint } from "./card.ts";
import { call, RequestFailed, stream } from "./requests.ts";
import { messageParams, methodOf, readSaid, readTask, type Said, type Task, taskParams } from "./wire.ts";

const firstPauseMs = 200;
const longestPauseMs = 5_000;
/** The number of successive failed polls of a task after which the errand fails. */
const mostFailures = 4;
const cancelMs = 5_000;

/** A message to a remote agent, and the tool call for which the run sends the message. */
export interface Errand {
  endpoint: Endpoint;
  text: string;
  /** The id of the remote agent's task that this message continues. Undefined for a message that begins a new task. */
  continues?: string | undefined;
  callId: string | undefined;
}

/**
 * Sends a message to a remote agent. Returns the agent's direct answer, or its task as soon as the task has ended or needs an answer.
 * - If the run is cancelled or a time limit is reached, the remote task is cancelled.
 * - If another attempt continues the run, that attempt waits for the same task and does not send the message again.
 */
export async function runErrand(errand: Errand, config: RunnableConfig): Promise<Said> {
  const { signal } = config;
  signal?.throwIfAborted();
  const memory = memoryOf(errand, config);
  const stopped = new AbortController();
  const started = Promise.withResolvers<string>();
  const follow = async () => {
    const known = await memory.find();
    if (known !== undefined) started.resolve(known);
    const note = async (taskId: string) => {
      started.resolve(taskId);
      await memory.store(taskId);
    };
    const said = known ?? (await send(errand, memory.messageId, note, stopped.signal));
    return typeof said === "string" ? waitFor(errand.endpoint, said, stopped.signal) : said;
  };
  try {
    return await raceWithSignal(follow(), signal);
  } catch (error) {
    if (signal?.aborted && !isContinued(signal)) await cancel(errand.endpoint, started.promise);
    throw error;
  } finally {
    stopped.abort();
  }
}

/** Sends the message. Returns the id of the task that the agent began, or the final reply if the agent has sent one. */
async function send(
  { endpoint, text, continues }: Errand,
  id: string,
  note: (taskId: string) => Promise<void>,
  signal: AbortSignal,
): Promise<string | Said> {
  const params = messageParams(endpoint, { id, text, taskId: continues });
  if (!endpoint.streams) {
    const said = readSaid(await call(endpoint, methodOf(endpoint, "send"), params, signal));
    if (!("taskId" in said)) return said;
    await note(said.taskId);
    return isSettled(said) ? said : said.taskId;
  }
  let begun: string | undefined;
  try {
    for await (const event of stream(endpoint, methodOf(endpoint, "stream"), params, signal)) {
      const said = readSaid(event);
      if (!("taskId" in said)) return said;
      if (begun === undefined) await note(said.taskId);
      begun = said.taskId;
      if (isSettled(said)) break;
    }
  } catch (error) {
    if (begun === undefined || !(error instanceof RequestFailed && error.isPassing)) throw error;
  }
  if (begun === undefined) throw new RequestFailed("The agent answers with an empty stream.");
  return begun; // the caller polls this task, because the stream may end before the task has ended
}

/** Polls the task until the task has ended or the agent needs an answer. */
async function waitFor(endpoint: Endpoint, taskId: string, signal: AbortSignal): Promise<Task> {
  let failures = 0;
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 1.5, longestPauseMs)) {
    try {
      const task = readTask(await call(endpoint, methodOf(endpoint, "get"), taskParams(endpoint, taskId), signal));
      if (isSettled(task)) return task;
      failures = 0;
    } catch (error) {
      failures += 1;
      if (!(error instanceof RequestFailed && error.isPassing) || failures === mostFailures) throw error;
    }
    await sleep(pause, undefined, { signal });
  }
}

const isSettled = ({ state }: Task) => state !== undefined && !["submitted", "working", "unknown", "unspecified"].includes(state);

/**
 * Cancels the agent's task. If the agent has not returned the id of the task yet, waits for the id. Ignores all errors, because nobody
 * waits for the result.
 */
async function cancel(endpoint: Endpoint, started: Promise<string>): Promise<void> {
  const signal = AbortSignal.timeout(cancelMs);
  try {
    const taskId = await raceWithSignal(started, signal);
    await call(endpoint, methodOf(endpoint, "cancel"), taskParams(endpoint, taskId), signal);
  } catch {
    // Ignored: the agent is gone, its task has ended, or it cannot cancel tasks.
  }
}

/**
 * Tells whether the service continues the run with another attempt after this abort. For an abort reason in this list, the service has
 * stopped only the current attempt and not the whole run.
 */
const isContinued = ({ reason }: AbortSignal) => ["shutdown", "lost", "unreachable"].includes(Object(Object(reason).reason).kind);

/**
 * Returns an id for the message, and the functions `find` and `store`, which read and store the id of the remote agent's task. The message
 * id is the same in each attempt of the run, so that the remote agent can detect a repeated message. Outside the service, nothing is
 * stored, and each call gets a new message id.
 */
function memoryOf({ callId = "call" }: Errand, { configurable }: RunnableConfig) {
  const effects = effectsOf(configurable);
  if (!effects) return { messageId: crypto.randomUUID() as string, find: async () => undefined, store: async () => undefined };
  const { memory, taskId: nodeTask } = effects;
  const name = `a2a/${callId}`;
  return {
    messageId: createHash("sha256").update(`${memory.runId}/${nodeTask}/${name}`).digest("hex").slice(0, 32),
    find: async (): Promise<string | undefined> => {
      const stored = await memory.find(nodeTask, name);
      return stored === undefined ? undefined : JSON.parse(stored);
    },
    store: (taskId: string) => memory.store(nodeTask, name, JSON.stringify(taskId)),
  };
}
