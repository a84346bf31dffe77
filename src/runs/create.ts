import type { Assistant } from "../assistants/assistants.ts";
import { getAssistant } from "../assistants/assistants.ts";
import { hasCheckpoint } from "../checkpoints/lifecycle.ts";
import { newId } from "../db/ids.ts";
import type { Scope } from "../db/scope.ts";
import { type Db, sql } from "../db/sql.ts";
import { checkpointNotFound, ServiceError, threadNotFound } from "../errors.ts";
import { type LockedThread, lockOrCreateThread, lockThread, noteRun } from "../threads/threads.ts";
import type { Caller } from "./caller.ts";
import { cancelOpenRuns } from "./cancel.ts";
import { type Json, type MultitaskStrategy, type Run, type RunConfig, type RunKwargs, runColumns } from "./run.ts";

/** A run as a caller asks for it, defaults filled in. */
export interface NewRun {
  runId: string;
  /** Without a thread the run gets one of its own. */
  threadId: string | undefined;
  assistantId: string;
  createThread: boolean;
  keepThread: boolean;
  metadata: Json;
  multitaskStrategy: MultitaskStrategy;
  afterSeconds: number;
  /** How long its events are kept after its end. */
  eventRetentionSeconds: number;
  kwargs: Omit<RunKwargs, "temporary">;
}

/** A run that is about to exist. */
export interface AskedRun {
  assistant: Assistant;
  threadId: string;
  /** Other runs of the thread come first, so that nobody knows yet what this one will find. */
  wasBusy: boolean;
  kwargs: RunKwargs;
}

/** Throws what is wrong with a run before it exists. It stands above this room, which knows no graphs; the thread is held meanwhile. */
export type RunCheck = (tx: Db, asked: AskedRun) => Promise<void>;

/** What must not pass from one run to the next through its thread. */
const runOnlyKeys = ["checkpoint_id", "checkpoint_ns", "checkpoint_map", "run_id", "thread_id", "graph_id", "assistant_id"];
/** By these LangGraph speaks to itself, and auth to the graph: no caller does. */
const privatePrefixes = ["__", "langgraph_auth"];
const isPrivate = (key: string) => privatePrefixes.some((prefix) => key.startsWith(prefix));

/**
 * Inserts a run: the thread is locked, or made; the multitask rule is decided under that lock; the run is stored pending. Call it in
 * a transaction, and tell the claim topic after the commit.
 */
export async function createRun(tx: Db, caller: Caller, wanted: NewRun, check: RunCheck): Promise<Run> {
  const assistant = await getAssistant(tx, caller.assistants, wanted.assistantId).catch((error) => {
    if (!(error instanceof ServiceError)) throw error;
    throw new ServiceError(
      "not_found",
      `No assistant found for "${wanted.assistantId}". Make sure the assistant ID is for a valid assistant or a valid graph ID.`,
    );
  });
  const { runId } = wanted;
  const threadId = wanted.threadId ?? newId();
  const temporary = wanted.threadId === undefined && !wanted.keepThread;
  const thread = await openThread(tx, caller.threads, { thread_id: threadId, temporary }, assistant, wanted);
  const config = mergeConfig(assistant.config, thread.config, wanted.kwargs.config);
  await refuseUnknownCheckpoint(tx, threadId, config);
  const { wasBusy } = await makeWay(tx, threadId, wanted.multitaskStrategy);

  const metadata = { ...assistant.metadata, ...thread.metadata, ...wanted.metadata };
  const identity = { run_id: runId, thread_id: threadId, graph_id: assistant.graph_id, assistant_id: assistant.assistant_id };
  const kwargs: RunKwargs = {
    ...wanted.kwargs,
    temporary,
    context: mergeContext(assistant.context, wanted.kwargs.context),
    config: { ...config, configurable: { ...config.configurable, ...identity } },
  };
  await check(tx, { assistant, threadId, wasBusy, kwargs });
  if (!wasBusy) {
    const noted = { ...thread.metadata, graph_id: assistant.graph_id, assistant_id: assistant.assistant_id };
    await noteRun(tx, threadId, noted, withoutRunKeys(config));
  }
  const { rows } = await tx.query<Run>(sql`
    insert into runs (run_id, thread_id, assistant_id, multitask_strategy, metadata, kwargs, run_at, events_kept_secs, webhook,
                      auth_user)
    values (${runId}, ${threadId}, ${assistant.assistant_id}, ${wanted.multitaskStrategy}, ${JSON.stringify(metadata)},
            ${JSON.stringify(kwargs)}, now() + make_interval(secs => ${wanted.afterSeconds}), ${wanted.eventRetentionSeconds}, ${kwargs.webhook},
            ${caller.user && JSON.stringify(caller.user)})
    returning ${runColumns}`);
  return rows[0] as Run;
}

async function openThread(
  tx: Db,
  scope: Scope,
  named: { thread_id: string; temporary: boolean },
  assistant: Assistant,
  wanted: NewRun,
): Promise<LockedThread> {
  if (wanted.threadId !== undefined && !wanted.createThread) {
    const thread = await lockThread(tx, scope, wanted.threadId);
    if (!thread) throw threadNotFound(wanted.threadId);
    return thread;
  }
  const metadata = { graph_id: assistant.graph_id, assistant_id: assistant.assistant_id, ...wanted.metadata };
  return lockOrCreateThread(tx, scope, { ...named, metadata });
}

/** From a checkpoint that is not there LangGraph would start from nothing, and the thread's history would seem lost. */
async function refuseUnknownCheckpoint(tx: Db, threadId: string, { configurable = {} }: RunConfig): Promise<void> {
  const { checkpoint_id: id, checkpoint_ns: namespace } = configurable;
  if (typeof id !== "string" || id === "") return;
  const known = await hasCheckpoint(tx, threadId, typeof namespace === "string" ? namespace : "", id);
  if (!known) throw checkpointNotFound(threadId, id);
}

/** Decides what happens to the runs that the thread has already. The caller holds the thread's lock. */
async function makeWay(tx: Db, threadId: string, strategy: MultitaskStrategy): Promise<{ wasBusy: boolean }> {
  const { rowCount } = await tx.query(sql`
    select 1 from runs where thread_id = ${threadId} and status in ('pending', 'running') limit 1`);
  const wasBusy = rowCount !== 0;
  if (wasBusy && strategy === "reject") {
    throw new ServiceError("conflict", "Thread is already running a task. Wait for it to finish or choose a different multitask strategy.");
  }
  if (wasBusy && (strategy === "interrupt" || strategy === "rollback")) await cancelOpenRuns(tx, [threadId], strategy);
  return { wasBusy };
}

/** Later ones win; `configurable` is merged, but for what is not the caller's to say; tags are added up. */
function mergeConfig(...configs: RunConfig[]): RunConfig {
  const tags = [...new Set(configs.flatMap((config) => config.tags ?? []))];
  const entries = configs.flatMap((config) => Object.entries(config.configurable ?? {}));
  const configurable = Object.fromEntries(entries.filter(([key]) => !isPrivate(key)));
  return { ...Object.assign({}, ...configs), ...(tags.length > 0 && { tags }), configurable };
}

function mergeContext(ofAssistant: Json, ofRun: Json | null): Json | null {
  const context = { ...ofAssistant, ...ofRun };
  return Object.keys(context).length > 0 ? context : null;
}

function withoutRunKeys(config: RunConfig): RunConfig {
  const kept = Object.entries(config.configurable ?? {}).filter(([key]) => !runOnlyKeys.includes(key) && !isPrivate(key));
  return { ...config, configurable: Object.fromEntries(kept) };
}
