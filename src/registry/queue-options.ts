import { z } from "zod";
import { type LimitValues, WrittenLimit } from "../runs/limit-values.ts";

/** The operator's rules for the order of the queue. */
export const QueueOptions = z
  .object({
    key: z
      .string()
      .regex(/^(metadata|context)(\.[^.]+)+$/, "must be a path such as metadata.tenant or context.customer.id")
      .optional()
      .describe(
        "Path of the queue key in a run's metadata or context, such as `metadata.tenant`. With auth, the user is the key. Runs of different keys take turns.",
      ),
    weights: z
      .record(z.string().min(1), z.number().positive().max(1_000))
      .optional()
      .describe("Weights of keys. A key with weight 3 gets three turns while a key with weight 1, which is the default, gets one."),
    limits: z
      .record(z.string().min(1).max(200), WrittenLimit)
      .optional()
      .describe(
        "Limits by name. The name of a limit is a graph, or any name if the limit has `graphs`. The keys are `graphs`, `total`, `per_key`, `rate`, `max_waiting`, `daily_tokens`, `daily_dollars` and `shadow`.",
      ),
  })
  .loose();

export interface QueueRules {
  keyPath: string[] | undefined;
  weights: Record<string, number>;
  limits: Record<string, LimitValues>;
}

export const queueRules = ({ key, weights = {}, limits = {} }: z.infer<typeof QueueOptions> = {}): QueueRules => ({
  keyPath: key?.split("."),
  weights,
  limits,
});
