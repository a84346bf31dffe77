import { z } from "zod";
import type { NewCron } from "../../crons/cron.ts";
import type { CronPatch as Patch } from "../../crons/crons.ts";
import { faultOfPattern, isTimezone } from "../../crons/schedule.ts";
import { Json, Time } from "../schemas.ts";
import { RunCreate } from "./run-request.ts";

/** The fields of a run that a cron can set for all of its runs. */
const Payload = RunCreate.pick({
  input: true,
  config: true,
  context: true,
  webhook: true,
  interrupt_before: true,
  interrupt_after: true,
  stream_mode: true,
  stream_subgraphs: true,
  stream_resumable: true,
  multitask_strategy: true,
  durability: true,
  checkpoint_during: true,
  priority: true,
});

const Pattern = z
  .string()
  .max(200)
  .superRefine((pattern, { addIssue }) => {
    const fault = faultOfPattern(pattern);
    if (fault) addIssue({ code: "custom", message: fault });
  });
const Timezone = z.string().max(100).refine(isTimezone, 'expected the name of a time zone, like "Europe/Berlin"');
const Changeable = {
  schedule: Pattern.nullish(),
  timezone: Timezone.nullish(),
  end_time: Time.nullish(),
  enabled: z.boolean().nullish(),
  on_run_completed: z.enum(["delete", "keep"]).nullish(),
  metadata: Json.nullish(),
};

/** The body of a request that creates a cron. Unknown keys are ignored, as in a request that creates a run. */
export const CronCreate = Payload.extend({ ...Changeable, assistant_id: RunCreate.shape.assistant_id, schedule: Pattern });
export const CronPatch = Payload.extend(Changeable);

/**
 * Returns the cron that a request describes, with the defaults filled in. If the request names a thread, the cron's runs never delete that
 * thread.
 */
export function toNewCron(body: z.output<typeof CronCreate>, threadId: string | null): NewCron {
  const { assistant_id, schedule, timezone, end_time, enabled, on_run_completed, metadata, ...payload } = body;
  return {
    assistant_id,
    thread_id: threadId,
    schedule,
    timezone: timezone ?? null,
    end_time: end_time ?? null,
    enabled: enabled ?? true,
    on_run_completed: threadId === null ? (on_run_completed ?? "delete") : "keep",
    payload,
    metadata: metadata ?? {},
  };
}

/**
 * Returns the changes that a request makes to a cron. Null clears a field that may be empty. For any other field, null means that the field
 * keeps its value.
 */
export function toPatch(body: z.output<typeof CronPatch>): Patch {
  const { schedule, timezone, end_time, enabled, on_run_completed, metadata, ...payload } = body;
  return {
    timezone,
    end_time,
    payload,
    schedule: schedule ?? undefined,
    enabled: enabled ?? undefined,
    on_run_completed: on_run_completed ?? undefined,
    metadata: metadata ?? undefined,
  };
}
