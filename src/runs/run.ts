import { z } from "zod";
import { type Sql, sql } from "../db/sql.ts";

export type Json = Record<string, unknown>;
export const RunStatus = z.enum(["pending", "running", "success", "error", "timeout", "interrupted"]);
export type RunStatus = z.infer<typeof RunStatus>;

/** The statuses of a run that has ended. */
export const EndStatus = RunStatus.exclude(["pending", "running"]);
export type EndStatus = z.infer<typeof EndStatus>;

/** The treatment of a thread's open runs by a new run: the new run is refused, waits for them, interrupts them, or rolls them back. */
export const MultitaskStrategy = z.enum(["reject", "enqueue", "interrupt", "rollback"]);
export type MultitaskStrategy = z.infer<typeof MultitaskStrategy>;

export const CancelAction = z.enum(["interrupt", "rollback"]);
export type CancelAction = z.infer<typeof CancelAction>;

export const StreamMode = z.enum([
  "values",
  "messages",
  "messages-tuple",
  "updates",
  "events",
  "tasks",
  "checkpoints",
  "debug",
  "custom",
  "tools",
]);
export type StreamMode = z.infer<typeof StreamMode>;

/** When checkpoints are stored: before the next step ("sync"), during the next step ("async"), or only when the run stops ("exit"). */
export const Durability = z.enum(["sync", "async", "exit"]);
export type Durability = z.infer<typeof Durability>;

export interface RunConfig {
  tags?: string[];
  recursion_limit?: number;
  configurable?: Json;
  [key: string]: unknown;
}

/** Returns a config without the keys that name the checkpoint from which a run starts. The run then starts from the newest checkpoint. */
export function withoutCheckpoint(config: RunConfig): RunConfig {
  const { checkpoint_id, checkpoint_ns, checkpoint_map, ...configurable } = config.configurable ?? {};
  return { ...config, configurable };
}

export interface RunCommand {
  update?: unknown;
  resume?: unknown;
  goto?: unknown;
}

/** The part of a run's request that is stored in the run's row. */
export interface RunKwargs {
  input: unknown;
  command: RunCommand | null;
  config: RunConfig;
  context: Json | null;
  stream_mode: StreamMode[];
  /** True to log checkpoint events without the checkpoint's values. The values are already in the log, as separate events. */
  checkpoint_envelopes?: boolean;
  /** True to refuse an answer to a question that is not open. Otherwise, LangGraph silently ignores such an answer. */
  strict_resume?: boolean;
  interrupt_before: "*" | string[] | null;
  interrupt_after: "*" | string[] | null;
  webhook: string | null;
  feedback_keys: string[] | null;
  temporary: boolean;
  subgraphs: boolean;
  resumable: boolean;
  durability: Durability;
  /** The request of an OpenAI client for a response, without its input. Undefined if the run gives no stored response. */
  response?: Json;
}

interface RunFacts {
  run_id: string;
  thread_id: string;
  assistant_id: string;
  metadata: Json;
  kwargs: RunKwargs;
  multitask_strategy: MultitaskStrategy;
  created_at: Date;
  updated_at: Date;
}

interface PendingRun extends RunFacts {
  status: "pending";
  /** The graph that the run needs, if the run is due and no live worker has loaded the graph. Absent in all other cases. */
  waiting_for_graph?: string;
}

interface StartedRun extends RunFacts {
  status: "running" | EndStatus;
}

/** A run in the API's form. */
export type Run = PendingRun | StartedRun;

export const runColumns: Sql = sql`run_id, thread_id, assistant_id, metadata, status, kwargs, multitask_strategy, created_at, updated_at`;

/**
 * The four topics of notifications about runs:
 * - claim: a run may be claimed.
 * - cancel: a running run was cancelled or deleted.
 * - end:<run id>: the run has ended.
 * - thread:<thread id>: a run of the thread has begun or was cancelled.
 */
export const claimTopic = "claim";
export const cancelTopic = "cancel";
export const endTopic = (runId: string) => `end:${runId}`;
export const threadTopic = (threadId: string) => `thread:${threadId}`;

/** Tells whether a run answers a question. Such a run continues work that has begun, so no limit refuses it. */
export const answersQuestion = ({ command }: Pick<RunKwargs, "command">): boolean =>
  command?.resume !== undefined && command.resume !== null;
