import type { Assistant } from "../assistants/assistants.ts";
import { isReservedKey } from "../auth/user.ts";
import { requireCheckpoint } from "../checkpoints/lifecycle.ts";
import { newId } from "../db/ids.ts";
import type { Scope } from "../db/scope.ts";
import type { Db } from "../db/sql.ts";
import { ServiceError, threadNotFound } from "../errors.ts";
import { type LockedThread, lockOrCreateThread, lockThread, notingRun } from "../threads/threads.ts";
import type { Caller } from "./caller.ts";
import { cancelOpenRuns } from "./cancel.ts";
import { insertRun, type RunRow } from "./insert.ts";
import { refuseSpentBudget } from "./limits.ts";
import { priorityOf, queueKeyOf } from "./queue.ts";
import { isThreadBusy } from "./read.ts";
import { answersQuestion, type Json, type MultitaskStrategy, type Run, type RunConfig, type RunKwargs } from "./run.ts";
import { runWriterOf } from "./run-writer.ts";

/** A run to create: the fields of the request, with the defaults filled in. */
export interface NewRun {
  runId: string;
  /** The thread on which the run executes. Undefined if the run gets a new thread of its own. */
  threadId: string | undefined;
  assistantId: string;
  createThread: boolean;
  keepThread: boolean;
  /** True to keep the run's temporary thread if the run asks a question. Undefined means false. */
  isAnswerable?: boolean;
  metadata: Json;
  multitaskStrategy: MultitaskStrategy;
  afterSeconds: number;
  /** The number of seconds that the run's events are kept after the run's end. */
  eventRetentionSeconds: number;
  /** The run's own priority, from 1 to 5. If undefined, the merged config or the default decides. */
  priority?: number | undefined;
  /** The path to the queue key in the run's metadata or context, for a run without a user. Undefined if no path is configured. */
  queueKeyPath?: readonly string[] | undefined;
  /** The queue key of the run that this run continues. If undefined, the key comes from the user, or else from `queueKeyPath`. */
  queueKey?: string | null;
  kwargs: Omit<RunKwargs, "temporary">;
  /** The trace span of the request, as a W3C traceparent. Null or undefined if the request has none. */
  traceparent?: string | null | undefined;
  /** The id of the dead letter that the run redrives. Undefined for any other run. */
  letterId?: string | undefined;
}

/** The data that the check of a new run (`RunCheck`) gets. */
export interface AskedRun {
  assistant: Assistant;
  threadId: string;
  /**
   * True if other open runs of the thread come before this run. The state in which the run will start is then unknown. Only the check of a
   * run that answers a question may use this value, because for other runs it may be false without having been looked up.
   */
  wasBusy: boolean;
  kwargs: RunKwargs;
}

/**
 * Checks a run before it is created, while its thread is locked. Throws if the run is invalid. Callers pass in this function, because the
 * code in `src/runs` may not import graphs and so cannot check the input itself.
 */
export type RunCheck = (tx: Db, asked: AskedRun) => Promise<void>;

/** The config keys that a run must not pass on to later runs of its thread. */
const runOnlyKeys = ["checkpoint_id", "checkpoint_ns", "checkpoint_map", "run_id", "thread_id", "graph_id", "assistant_id"];

/**
 * Inserts a pending run. Locks the run's thread or creates one, and applies the multitask strategy while the thread is locked.
 *
 * Call it in a transaction, and notify the claim topic after the commit. A run with a new thread of its own needs no transaction, because
 * one statement writes the run and the thread. `writer` may then combine the statements of several requests.
 */
export async function createRun(tx: Db, caller: Caller, wanted: NewRun, check: RunCheck, writer = runWriterOf(tx)): Promise<Run> {
  const assistant = await writer.findAssistant(caller.assistants, wanted.assistantId);
  if (!assistant) throw assistantUnknown(wanted.assistantId);
  const ofGraph = { graph_id: assistant.graph_id, assistant_id: assistant.assistant_id };
  const threadId = wanted.threadId ?? newId();
  const thread = await openThread(tx, caller.threads, wanted, { ...ofGraph, ...wanted.metadata });
  const config = mergeConfig(assistant.config, thread?.config ?? {}, wanted.kwargs.config);
  await requireCheckpoint(tx, threadId, config.configurable ?? {});
  const wasBusy = thread !== undefined && needsToKnow(wanted) && (await isThreadBusy(tx, threadId));
  if (wasBusy) await makeWay(tx, threadId, wanted.multitaskStrategy);

  const temporary = wanted.threadId === undefined && !wanted.keepThread;
  const kwargs: RunKwargs = {
    ...wanted.kwargs,
    temporary: temporary && !wanted.isAnswerable,
    context: mergeContext(assistant.context, wanted.kwargs.context),
    config: { ...config, configurable: { ...config.configurable, run_id: wanted.runId, thread_id: threadId, ...ofGraph } },
  };
  await check(tx, { assistant, threadId, wasBusy, kwargs });
  const onThread = { metadata: { ...(thread?.metadata ?? wanted.metadata), ...ofGraph }, config: withoutRunKeys(config) };
  const metadata = { ...assistant.metadata, ...thread?.metadata, ...ofGraph, ...wanted.metadata };
  const { queueKey = queueKeyOf(caller.user?.identity, wanted.queueKeyPath, { metadata, context: kwargs.context }) } = wanted;
  const isNewWork = !answersQuestion(kwargs);
  if (assistant.isBudgeted && isNewWork) await refuseSpentBudget(tx, queueKey, assistant.graph_id);
  const isQueued = queueKey !== null && wanted.afterSeconds === 0;
  const row: RunRow = {
    ...wanted,
    threadId,
    assistantId: assistant.assistant_id,
    graphId: assistant.graph_id,
    metadata,
    kwargs,
    user: caller.user,
    priority: priorityOf(wanted.priority, config),
    queueKey,
    turn: isQueued ? await writer.takeTurn(queueKey, assistant.graph_id, isNewWork) : null,
  };
  if (thread) return insertRun(tx, row, notingRun(threadId, onThread.metadata, onThread.config));
  return writer.insertWithThread({ ...row, thread: { ...onThread, temporary } });
}

const assistantUnknown = (id: string) =>
  new ServiceError("not_found", `No assistant found for "${id}". Make sure the assistant ID is for a valid assistant or a valid graph ID.`);

/**
 * Locks the run's thread and returns it. A run with a new thread needs no lock, because no other request can know the thread's id yet. For
 * such a run, returns undefined.
 */
async function openThread(tx: Db, scope: Scope, { threadId, createThread }: NewRun, metadata: Json): Promise<LockedThread | undefined> {
  if (threadId === undefined) return undefined;
  if (createThread) return lockOrCreateThread(tx, scope, { thread_id: threadId, metadata });
  const thread = await lockThread(tx, scope, threadId);
  if (!thread) throw threadNotFound(threadId);
  return thread;
}

/**
 * Tells whether the service must look up if the run's thread is busy. An enqueued run simply waits for the open runs, so this matters only
 * if it answers a question.
 */
function needsToKnow({ multitaskStrategy, kwargs }: NewRun): boolean {
  return multitaskStrategy !== "enqueue" || answersQuestion(kwargs);
}

/** Applies the multitask strategy to the thread's open runs. The caller holds the thread's lock. */
async function makeWay(tx: Db, threadId: string, strategy: MultitaskStrategy): Promise<void> {
  if (strategy === "reject") {
    throw new ServiceError("conflict", "Thread is already running a task. Wait for it to finish or choose a different multitask strategy.");
  }
  if (strategy === "interrupt" || strategy === "rollback") await cancelOpenRuns(tx, [threadId], strategy);
}

/**
 * Merges configs. A value of a later config replaces that of an earlier one, tags are joined, and reserved keys of `configurable` are
 * dropped.
 */
function mergeConfig(...configs: RunConfig[]): RunConfig {
  const tags = [...new Set(configs.flatMap((config) => config.tags ?? []))];
  const entries = configs.flatMap((config) => Object.entries(config.configurable ?? {}));
  const configurable = Object.fromEntries(entries.filter(([key]) => !isReservedKey(key)));
  return { ...Object.assign({}, ...configs), ...(tags.length > 0 && { tags }), configurable };
}

function mergeContext(ofAssistant: Json, ofRun: Json | null): Json | null {
  const context = { ...ofAssistant, ...ofRun };
  return Object.keys(context).length > 0 ? context : null;
}

function withoutRunKeys(config: RunConfig): RunConfig {
  const kept = Object.entries(config.configurable ?? {}).filter(([key]) => !runOnlyKeys.includes(key) && !isReservedKey(key));
  return { ...config, configurable: Object.fromEntries(kept) };
}
