import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import type { NewRun } from "../../runs/create.ts";
import { Priority } from "../../runs/queue.ts";
import { fillRequest, type RunRequest } from "../../runs/request.ts";
import { Durability, MultitaskStrategy, StreamMode } from "../../runs/run.ts";
import { readTraceparent } from "../../tracing/tracing.ts";
import type { ApiDeps } from "../api-deps.ts";
import { FeedbackKeys } from "../schemas/feedback-schemas.ts";
import { Checkpoint, Command, Config, Id, Json, OneOrMore, Text } from "../schemas.ts";

const Nodes = z.union([z.literal("*"), z.array(Text)]).nullish();

/** The body of a request that creates a run. Unknown keys are ignored, because clients of other versions may send them. */
export const RunCreate = z.object({
  assistant_id: Text.min(1),
  input: z.unknown().optional(),
  command: Command.nullish(),
  config: Config.nullish(),
  context: Json.nullish(),
  metadata: Json.nullish(),
  checkpoint: Checkpoint.nullish(),
  checkpoint_id: Text.nullish(),
  webhook: Text.nullish(),
  strict_resume: z.boolean().nullish(),
  interrupt_before: Nodes,
  interrupt_after: Nodes,
  stream_mode: OneOrMore(StreamMode).nullish(),
  stream_subgraphs: z.boolean().nullish(),
  stream_resumable: z.boolean().nullish(),
  on_disconnect: z.enum(["cancel", "continue"]).nullish(),
  on_completion: z.enum(["delete", "keep", "complete", "continue"]).nullish(),
  multitask_strategy: MultitaskStrategy.nullish(),
  after_seconds: z
    .number()
    .min(0)
    .max(10 * 365 * 86_400)
    .nullish(),
  if_not_exists: z.enum(["reject", "create"]).nullish(),
  feedback_keys: FeedbackKeys.nullish(),
  durability: Durability.nullish(),
  checkpoint_during: z.boolean().nullish(),
  priority: Priority.nullish(),
});

export type RunCreateBody = z.infer<typeof RunCreate>;

export const BatchCreate = z
  .array(RunCreate.extend({ thread_id: Id.nullish() }))
  .min(1)
  .max(1_000);

interface RunOrigin {
  /** The thread on which the run executes. Undefined for a run that gets a new thread of its own. */
  threadId: string | undefined;
  headers: IncomingHttpHeaders;
}

/**
 * Returns the run that a request describes, with the defaults filled in. The selected headers are added to the run's `configurable`. The
 * run's trace continues the caller's trace.
 */
export function toNewRun(settings: ApiDeps["settings"], body: RunRequest, { threadId, headers }: RunOrigin): NewRun {
  const configurable = { ...settings.pickHeaders(headers), ...body.config?.configurable };
  const webhook = settings.sendsWebhooks ? body.webhook : null;
  const traceparent = readTraceparent(headers.traceparent);
  return { ...fillRequest({ ...body, webhook, config: { ...body.config, configurable } }, threadId, settings), traceparent };
}
