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

/** Where in a thread's history something starts; everything is optional, the newest checkpoint of the root is meant then. */
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

/** The state of a thread, at its newest checkpoint or at a given one. */
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
  // At an earlier checkpoint it is of interest what was asked there.
  return toWireState(checkpoint.checkpoint_id ? snapshot : await withOpenInterrupts(graph, snapshot));
}

export interface HistoryQuery {
  limit: number;
  before?: string;
  metadata?: Record<string, unknown>;
  checkpoint?: CheckpointRef;
}

/** The states of a thread, newest first. They are read as they are asked for. */
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
 * Applies updates to a thread as if nodes had returned them, one checkpoint a super-step. The thread is held meanwhile and must have
 * no open run. Call it in a transaction: the saver works on it too, so that nothing is half done.
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
  const updated = await graph.bulkUpdateState(config, updates).catch(asCallersMistake);
  await restThread(tx, threadId, await restingState(graph, threadId));
  return toWireCheckpoint(updated);
}

/** Stores on the thread's row what its checkpoints say now. For when checkpoints were taken away. Call it in a transaction. */
export async function refreshThread(tx: Db, registry: Registry, threadId: string): Promise<void> {
  const thread = await findThread(tx, everything, threadId);
  const graphId = thread && graphIdOf(thread);
  if (!graphId || !registry.has(graphId)) return;
  const state = await openThreadGraph(tx, registry, thread)
    .then((graph) => restingState(graph, threadId))
    .catch((error) => (isOfDatabase(error) ? Promise.reject(error) : asItIs(thread)));
  await restThread(tx, threadId, state);
}

/** Where a graph cannot be opened, because it is made for a user, say, the thread goes on showing what it shows; questions are closed. */
function asItIs({ values }: Thread): ThreadState {
  return { status: "idle", values: values === null ? null : JSON.stringify(values), interrupts: "{}" };
}

/** What the database refuses has ended the transaction. */
const isOfDatabase = (error: unknown) => isDatabaseTrouble(error) || (error instanceof Error && "severity" in error);

/** What a thread's newest checkpoint leaves it with. */
export async function restingState(graph: AnyGraph, threadId: string): Promise<ThreadState> {
  return toThreadState(await withOpenInterrupts(graph, await graph.getState({ configurable: { thread_id: threadId } })));
}

/** The values that a run left its thread with, as JSON, whatever came after it. Undefined where its checkpoints are gone. */
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

/** Keys that are not given must not be there at all: to LangGraph an undefined checkpoint_id is one. */
function at(threadId: string, { checkpoint_id, checkpoint_ns, checkpoint_map }: CheckpointRef) {
  return {
    thread_id: threadId,
    checkpoint_ns: checkpoint_ns ?? "",
    ...(checkpoint_id && { checkpoint_id }),
    ...(checkpoint_map && { checkpoint_map }),
  };
}

function toLangGraphUpdate({ values, asNode, command }: StateUpdate) {
  // LangGraph looks nodes up by a plain index, and would find what every object inherits.
  if (asNode !== undefined && asNode in Object.prototype) throw new ServiceError("invalid", `Node "${asNode}" does not exist`);
  return { values: command ? toCommand(command) : values, asNode };
}

/** LangGraph's complaints about an update are about what the caller sent. */
function asCallersMistake(error: Error): never {
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
