import { newId } from "../db/ids.ts";
import type { NewRun } from "./create.ts";
import type { Json, MultitaskStrategy, RunCommand, RunConfig, RunKwargs, StreamMode } from "./run.ts";

type Given<T> = T | null | undefined;

/** The fields of a run in the request of a client or in a cron. Fields that are left out have defaults. */
export interface RunRequest {
  assistant_id: string;
  input?: unknown;
  command?: Given<RunCommand>;
  config?: Given<RunConfig>;
  context?: Given<Json>;
  strict_resume?: Given<boolean>;
  metadata?: Given<Json>;
  checkpoint?: Given<{ checkpoint_id?: Given<string>; checkpoint_ns?: Given<string>; checkpoint_map?: Given<Json> }>;
  checkpoint_id?: Given<string>;
  webhook?: Given<string>;
  interrupt_before?: RunKwargs["interrupt_before"] | undefined;
  interrupt_after?: RunKwargs["interrupt_after"] | undefined;
  stream_mode?: Given<StreamMode[]>;
  stream_subgraphs?: Given<boolean>;
  stream_resumable?: Given<boolean>;
  on_completion?: Given<"delete" | "keep" | "complete" | "continue">;
  multitask_strategy?: Given<MultitaskStrategy>;
  after_seconds?: Given<number>;
  if_not_exists?: Given<"reject" | "create">;
  feedback_keys?: Given<string[]>;
  durability?: Given<RunKwargs["durability"]>;
  checkpoint_during?: Given<boolean>;
  priority?: Given<number>;
}

/** The operator's defaults for new runs. */
export interface RunDefaults {
  /** The number of seconds that the events of a run are kept after its end. */
  eventRetentionSeconds: number;
  resumableRetentionSeconds: number;
  /** The path to the queue key of runs without a user, such as `["metadata", "tenant"]`. Undefined if no path is configured. */
  queueKeyPath?: readonly string[] | undefined;
}

/** Returns the run that a request describes, with the defaults filled in. */
export function fillRequest(request: RunRequest, threadId: string | undefined, defaults: RunDefaults): NewRun {
  const resumable = request.stream_resumable ?? false;
  const configurable = { ...request.config?.configurable, ...checkpointKeys(request) };
  return {
    runId: newId(),
    threadId,
    assistantId: request.assistant_id,
    createThread: threadId === undefined || request.if_not_exists === "create",
    keepThread: request.on_completion === "keep" || request.on_completion === "continue",
    metadata: request.metadata ?? {},
    multitaskStrategy: request.multitask_strategy ?? "enqueue",
    afterSeconds: request.after_seconds ?? 0,
    eventRetentionSeconds: resumable ? defaults.resumableRetentionSeconds : defaults.eventRetentionSeconds,
    priority: request.priority ?? undefined,
    queueKeyPath: defaults.queueKeyPath,
    kwargs: {
      input: request.input ?? null,
      command: request.command ?? null,
      config: { ...request.config, configurable },
      context: request.context ?? null,
      stream_mode: request.stream_mode?.length ? request.stream_mode : ["values"],
      interrupt_before: request.interrupt_before ?? null,
      interrupt_after: request.interrupt_after ?? null,
      webhook: request.webhook ?? null,
      feedback_keys: request.feedback_keys ?? null,
      subgraphs: request.stream_subgraphs ?? false,
      resumable,
      ...(request.strict_resume && { strict_resume: true }),
      durability: request.durability ?? (request.checkpoint_during === false ? "exit" : "sync"),
    },
  };
}

/**
 * Returns the config keys that name the checkpoint from which the run starts. Keys without a value are left out, because LangGraph tests
 * only whether a key exists.
 */
function checkpointKeys({ checkpoint, checkpoint_id }: RunRequest): Json {
  const { checkpoint_id: id = checkpoint_id, checkpoint_ns, checkpoint_map } = checkpoint ?? {};
  return { ...(id && { checkpoint_id: id }), ...(checkpoint_ns && { checkpoint_ns }), ...(checkpoint_map && { checkpoint_map }) };
}
