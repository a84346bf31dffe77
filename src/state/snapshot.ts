import type { RunnableConfig } from "@langchain/core/runnables";
import type { StateSnapshot } from "@langchain/langgraph";
import type { ThreadState } from "../threads/threads.ts";
import { toWire, wireJson } from "./wire-json.ts";

/** The address of a checkpoint of a thread, in the form that clients send and receive. */
export interface WireCheckpoint {
  thread_id: string;
  checkpoint_id: string;
  checkpoint_ns: string;
  checkpoint_map: Record<string, unknown> | null;
}

/**
 * The address of a subgraph's checkpoint while the subgraph runs inside a task. `checkpoint_ns` is enough to find the subgraph, so the keys
 * that name a certain checkpoint are optional.
 */
export type WireTaskCheckpoint = Pick<WireCheckpoint, "thread_id" | "checkpoint_ns"> & Partial<WireCheckpoint>;

export interface WireTask {
  id: string;
  name: string;
  error: string | null;
  interrupts: unknown[];
  path: unknown;
  checkpoint: WireTaskCheckpoint | null;
  state: WireState | null;
  result: unknown;
}

/** The state of a thread at a checkpoint, as the API shows it. */
export interface WireState {
  values: unknown;
  next: string[];
  tasks: WireTask[];
  metadata?: Record<string, unknown>;
  created_at: string | null;
  checkpoint: WireCheckpoint | null;
  parent_checkpoint: WireCheckpoint | null;
  interrupts?: unknown[];
}

/** The state of a thread on which no graph has run yet. */
export const emptyState: WireState = { values: {}, next: [], tasks: [], created_at: null, checkpoint: null, parent_checkpoint: null };

type Task = StateSnapshot["tasks"][number];

export function toWireState(snapshot: StateSnapshot): WireState {
  const { checkpoint_ns, ...metadata } = (snapshot.metadata ?? {}) as Record<string, unknown>;
  return {
    values: toWire(snapshot.values),
    next: snapshot.next,
    tasks: snapshot.tasks.map(toWireTask),
    metadata: { ...metadata, ...(checkpoint_ns ? { checkpoint_ns } : {}) },
    created_at: snapshot.createdAt ?? null,
    checkpoint: toWireCheckpoint(snapshot.config),
    parent_checkpoint: toWireCheckpoint(snapshot.parentConfig),
    interrupts: snapshot.tasks.flatMap((task) => task.interrupts.map(toWire)),
  };
}

function toWireTask(task: Task): WireTask {
  const { state } = task;
  return {
    id: task.id,
    name: task.name,
    error: task.error === undefined || task.error === null ? null : errorText(task.error),
    interrupts: task.interrupts.map(toWire),
    path: task.path ?? [],
    checkpoint: state && !isSnapshot(state) ? toTaskCheckpoint(state) : null,
    state: state && isSnapshot(state) ? toWireState(state) : null,
    result: task.result === undefined ? null : toWire(task.result),
  };
}

/** Returns the address of the checkpoint in a config, or null if the config names no checkpoint. */
export function toWireCheckpoint(config: RunnableConfig | undefined): WireCheckpoint | null {
  const { thread_id, checkpoint_id, checkpoint_ns = "", checkpoint_map = null } = config?.configurable ?? {};
  return thread_id && checkpoint_id ? { thread_id, checkpoint_id, checkpoint_ns, checkpoint_map } : null;
}

/**
 * Returns the address of the checkpoint of a task's subgraph, with only the keys that LangGraph has set. Returns null if the config names
 * no thread.
 */
function toTaskCheckpoint(config: RunnableConfig): WireTaskCheckpoint | null {
  const { thread_id, checkpoint_id, checkpoint_ns = "", checkpoint_map } = config.configurable ?? {};
  if (!thread_id) return null;
  return { thread_id, checkpoint_ns, ...(checkpoint_id && { checkpoint_id }), ...(checkpoint_map && { checkpoint_map }) };
}

/**
 * Returns the address of a subgraph's checkpoint for an event of a stream. Unlike other responses, streams have null for keys that
 * LangGraph has not set, as on the official servers.
 */
export function toStreamedTaskCheckpoint(config: RunnableConfig | undefined): Record<string, unknown> | null {
  const place = config && toTaskCheckpoint(config);
  return place ? { checkpoint_id: null, checkpoint_map: null, ...place } : null;
}

/** Returns the values of the columns in the thread's row that depend on this state. */
export function toThreadState(snapshot: StateSnapshot): ThreadState {
  const interrupts = Object.fromEntries(snapshot.tasks.map((task) => [task.id, task.interrupts]));
  return {
    status: snapshot.next.length > 0 ? "interrupted" : "idle",
    values: snapshot.config.configurable?.checkpoint_id ? wireJson(snapshot.values) : null,
    interrupts: wireJson(interrupts),
  };
}

function isSnapshot(state: NonNullable<Task["state"]>): state is StateSnapshot {
  return "values" in state && "next" in state;
}

function errorText(error: unknown): string {
  return typeof error === "string" ? error : wireJson(error);
}
