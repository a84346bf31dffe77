import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { authKeys } from "../auth/user.ts";
import { lastCheckpointOfRun, requireCheckpoint } from "../checkpoints/lifecycle.ts";
import { EnsembleSaver } from "../checkpoints/saver.ts";
import { isDatabaseTrouble } from "../db/failure.ts";
import { everything, type Scope } from "../db/scope.ts";
import type { Db } from "../db/sql.ts";
import { ServiceError, threadIsBusy, threadNotFound } from "../errors.ts";
import type { AnyGraph, Registry } from "../registry/registry.ts";
import { findThread, getThread, type JsonText, lockThread, restThread, type Thread, type ThreadState } from "../threads/threads.ts";
import { toCommand, type WireCommand } from "./command.ts";
import { withOpenInterrupts } from "./open-interrupts.ts";
import { emptyState, toThreadState, toWireCheckpoint, toWireState, type WireCheckpoint, type WireState } from "./snapshot.ts";

/**
 * Selects the checkpoint to read or to start from. All fields are optional. Without any field, it selects the newest checkpoint of the root
 * graph.
 */
export interface CheckpointRef {
  checkpoint_id?: string | null;
  checkpoint_ns?: string | null;
  checkpoint_map?: Record<string, unknown> | null;
}

export interface StateUpdate {
  values?: unknown;
  asNode?: string;
  command?: WireCommand;
}

/** Returns the state of a thread at the given checkpoint, or at the newest one. */
export async function readState(
  db: Db,
  scope: Scope,
  registry: Registry,
  threadId: string,
  { checkpoint = {}, subgraphs = false }: { checkpoint?: CheckpointRef; subgraphs?: boolean } = {},
): Promise<WireState> {
  const thread = await getThread(db, scope, threadId);
  await requireCheckpoint(db, threadId, checkpoint);
  if (!graphIdOf(thread)) return emptyState;
  const graph = await openThreadGraph(db, registry, thread, scope);
  const snapshot = await graph.getState({ configurable: at(threadId, checkpoint) }, { subgraphs });
  // The newest state shows only unanswered questions. The state at an earlier checkpoint shows all questions that were asked there.
  return toWireState(checkpoint.checkpoint_id ? snapshot : await withOpenInterrupts(graph, snapshot));
}

export interface HistoryQuery {
  limit: number;
  before?: string;
  metadata?: Record<string, unknown>;
  checkpoint?: CheckpointRef;
}

/** Yields the states of a thread, newest first. Each state is read from the database only when the caller asks for it. */
export async function* readHistory(
  db: Db,
  scope: Scope,
  registry: Registry,
  threadId: string,
  query: HistoryQuery,
): AsyncGenerator<WireState> {
  const thread = await getThread(db, scope, threadId);
  if (!graphIdOf(thread)) return;
  const graph = await openThreadGraph(db, registry, thread, scope);
  const options = {
    limit: query.limit,
    ...(query.before && { before: { configurable: { checkpoint_id: query.before } } }),
    ...(query.metadata && { filter: query.metadata }),
  };
  for await (const snapshot of graph.getStateHistory({ configurable: at(threadId, query.checkpoint ?? {}) }, options)) {
    yield toWireState(snapshot);
  }
}

/**
 * Applies updates to a thread as if nodes of the graph had returned them, and stores one checkpoint for each super-step. Returns the
 * address of the new checkpoint. Locks the thread, which must have no open run. Call it in a transaction, so that either all updates are
 * stored or none.
 */
export async function updateState(
  tx: Db,
  scope: Scope,
  registry: Registry,
  threadId: string,
  supersteps: StateUpdate[][],
  checkpoint: CheckpointRef = {},
): Promise<WireCheckpoint | null> {
  if (!(await lockThread(tx, scope, threadId))) throw threadNotFound(threadId);
  const thread = await getThread(tx, everything, threadId);
  if (thread.status === "busy") throw threadIsBusy();
  if (!graphIdOf(thread)) throw new ServiceError("thread_without_graph", `Thread ${threadId} has no graph ID`);
  await requireCheckpoint(tx, threadId, checkpoint);
  const graph = await openThreadGraph(tx, registry, thread, scope);
  const updates = supersteps.map((superstep) => ({ updates: superstep.map(toLangGraphUpdate) }));
  const config = { ...threadConfig(thread), configurable: { ...(thread.config.configurable as object), ...at(threadId, checkpoint) } };
  const updated = await graph.bulkUpdateState(config, updates).catch(asCallersError);
  await restThread(tx, threadId, await restingState(graph, threadId));
  return toWireCheckpoint(updated);
}

/**
 * Sets the state in the thread's row to the state at the newest checkpoint. Call it after checkpoints were deleted, in the same
 * transaction.
 */
export async function refreshThread(tx: Db, registry: Registry, threadId: string): Promise<void> {
  const thread = await findThread(tx, everything, threadId);
  const graphId = thread && graphIdOf(thread);
  if (!graphId || !registry.has(graphId)) return;
  const state = await openThreadGraph(tx, registry, thread)
    .then((graph) => restingState(graph, threadId))
    .catch((error) => (isDatabaseError(error) ? Promise.reject(error) : withoutQuestions(thread)));
  await restThread(tx, threadId, state);
}

/**
 * Returns a state with the thread's present values but without questions. It is for threads whose graph cannot be opened here, for example
 * because the graph can be built only for a certain user.
 */
function withoutQuestions({ values }: Thread): ThreadState {
  return { status: "idle", values: values === null ? null : JSON.stringify(values), interrupts: "{}" };
}

/** Tells whether the error came from the database. After such an error, Postgres refuses all later statements of the transaction. */
const isDatabaseError = (error: unknown) => isDatabaseTrouble(error) || (error instanceof Error && "severity" in error);

/** Returns the state to store in a thread's row while no run executes, which is the state at the newest checkpoint. */
export async function restingState(graph: AnyGraph, threadId: string): Promise<ThreadState> {
  return toThreadState(await withOpenInterrupts(graph, await graph.getState({ configurable: { thread_id: threadId } })));
}

/**
 * Returns the thread's values as they were at the end of a run, as JSON text. Returns undefined if they cannot be read, for example because
 * the run's checkpoints no longer exist.
 */
export async function valuesAfterRun(
  db: Db,
  scope: Scope,
  registry: Registry,
  threadId: string,
  runId: string,
): Promise<JsonText | null | undefined> {
  const checkpointId = await lastCheckpointOfRun(db, threadId, runId);
  const thread = await findThread(db, scope, threadId);
  if (!checkpointId || !thread || !registry.has(graphIdOf(thread) ?? "")) return undefined;
  const graph = await openThreadGraph(db, registry, thread, scope);
  return toThreadState(await graph.getState({ configurable: at(threadId, { checkpoint_id: checkpointId }) })).values;
}

async function openThreadGraph(db: Db, registry: Registry, thread: Thread, { user }: Scope = everything): Promise<AnyGraph> {
  const graphId = graphIdOf(thread) ?? "";
  if (!registry.has(graphId)) {
    throw new ServiceError("not_found", `Graph "${graphId}" of thread ${thread.thread_id} is not among the graphs of this server.`);
  }
  const assistantId = thread.metadata.assistant_id;
  const checkpointer = new EnsembleSaver(db, {
    graph_id: graphId,
    thread_id: thread.thread_id,
    ...(typeof assistantId === "string" && { assistant_id: assistantId }),
  });
  const { configurable } = threadConfig(thread);
  return registry.open(graphId, { config: { configurable: { ...configurable, ...authKeys(user) } }, checkpointer });
}

function threadConfig(thread: Thread): LangGraphRunnableConfig {
  return { configurable: { ...(thread.config.configurable as object | undefined), thread_id: thread.thread_id } };
}

/**
 * Returns the keys of `configurable` that select a checkpoint. Leaves out keys without a value, because LangGraph tests only whether the
 * key `checkpoint_id` exists, even if its value is undefined.
 */
function at(threadId: string, { checkpoint_id, checkpoint_ns, checkpoint_map }: CheckpointRef) {
  return {
    thread_id: threadId,
    checkpoint_ns: checkpoint_ns ?? "",
    ...(checkpoint_id && { checkpoint_id }),
    ...(checkpoint_map && { checkpoint_map }),
  };
}

function toLangGraphUpdate({ values, asNode, command }: StateUpdate) {
  // LangGraph looks up nodes in a plain object, so it would find inherited properties such as "constructor".
  if (asNode !== undefined && asNode in Object.prototype) throw new ServiceError("invalid", `Node "${asNode}" does not exist`);
  return { values: command ? toCommand(command) : values, asNode };
}

/** Converts LangGraph's errors about an invalid update to errors of the caller. Rethrows any other error. */
function asCallersError(error: Error): never {
  if (error.name === "InvalidUpdateError" || error.name === "ZodError" || error.name === "UnstorableValue") {
    throw new ServiceError("invalid", error.message);
  }
  if (/^Subgraph ".*" not found$/s.test(error.message)) throw new ServiceError("not_found", error.message);
  throw error;
}

export function graphIdOf(thread: Pick<Thread, "metadata">): string | undefined {
  const { graph_id: graphId } = thread.metadata;
  return typeof graphId === "string" ? graphId : undefined;
}
