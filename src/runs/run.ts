import { type Sql, sql } from "../db/sql.ts";

export type Json = Record<string, unknown>;
export type RunStatus = "pending" | "running" | "success" | "error" | "timeout" | "interrupted";
export type MultitaskStrategy = "reject" | "enqueue" | "interrupt" | "rollback";
export type CancelAction = "interrupt" | "rollback";
export type StreamMode =
  | "values"
  | "messages"
  | "messages-tuple"
  | "updates"
  | "events"
  | "tasks"
  | "checkpoints"
  | "debug"
  | "custom"
  | "tools";

export interface RunConfig {
  tags?: string[];
  recursion_limit?: number;
  configurable?: Json;
  [key: string]: unknown;
}

export interface RunCommand {
  update?: unknown;
  resume?: unknown;
  goto?: unknown;
}

/** Everything a run was asked to do, as its row keeps it. */
export interface RunKwargs {
  input: unknown;
  command: RunCommand | null;
  config: RunConfig;
  context: Json | null;
  stream_mode: StreamMode[];
  /** Checkpoints are logged without the values that are logged beside them. */
  checkpoint_envelopes?: boolean;
  /** An answer to a question that is not open is refused, where LangGraph would pass it over. */
  strict_resume?: boolean;
  interrupt_before: "*" | string[] | null;
  interrupt_after: "*" | string[] | null;
  webhook: string | null;
  feedback_keys: string[] | null;
  temporary: boolean;
  subgraphs: boolean;
  resumable: boolean;
  durability: "sync" | "async" | "exit";
}

/** A run, as the API shows it. */
export interface Run {
  run_id: string;
  thread_id: string;
  assistant_id: string;
  metadata: Json;
  status: RunStatus;
  kwargs: RunKwargs;
  multitask_strategy: MultitaskStrategy;
  created_at: Date;
  updated_at: Date;
  /** The graph that it waits for because no live worker has it. */
  waiting_for_graph?: string;
}

export const runColumns: Sql = sql`run_id, thread_id, assistant_id, metadata, status, kwargs, multitask_strategy, created_at, updated_at`;

/**
 * The topics on which runs are told: that one may be claimed; that a running one was cancelled or deleted; that this one is over; that one
 * has begun on this thread.
 */
export const claimTopic = "claim";
export const cancelTopic = "cancel";
export const endTopic = (runId: string) => `end:${runId}`;
export const threadTopic = (threadId: string) => `thread:${threadId}`;
