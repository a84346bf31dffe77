import { z } from "zod";

/** `store` in langgraph.json: how items live, and how they are found by meaning. */
export const StoreOptions = z
  .object({
    ttl: z
      .object({
        default_ttl: z.number().positive().max(52_560_000).nullish(),
        refresh_on_read: z.boolean().nullish(),
        sweep_interval_minutes: z.number().positive().max(40_000).nullish(),
      })
      .loose()
      .nullish(),
    index: z
      .object({
        dims: z.number().int().min(1).max(16_000),
        embed: z.string().min(1),
        fields: z.array(z.string().min(1)).min(1).max(50).nullish(),
      })
      .loose()
      .nullish(),
  })
  .loose();
