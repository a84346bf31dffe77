import { z } from "zod";

/** The schema of `store` in langgraph.json: the expiry of items and the search by meaning. */
export const StoreOptions = z
  .object({
    ttl: z
      .object({
        default_ttl: z
          .number()
          .positive()
          .max(52_560_000)
          .nullish()
          .describe("Minutes that an item lives when its put has no `ttl`. Without it, items live for ever."),
        refresh_on_read: z.boolean().nullish().describe("Whether a read restarts an item's time. Default: `true`."),
        sweep_interval_minutes: z
          .number()
          .positive()
          .max(40_000)
          .nullish()
          .describe("Minutes between two sweeps of expired items. Without it, they are swept every few seconds."),
      })
      .loose()
      .nullish()
      .describe("Expiry of items."),
    index: z
      .object({
        dims: z.number().int().min(1).max(16_000).describe("Dimensions of the vectors."),
        embed: z.string().min(1).describe("Embedding model: `openai:<model>`, or file and export of your own (`./embed.ts:embed`)."),
        fields: z
          .array(z.string().min(1))
          .min(1)
          .max(50)
          .nullish()
          .describe("Fields that are embedded, each as a vector of its own. Default: `$`, the whole object."),
      })
      .loose()
      .nullish()
      .describe("Search by meaning. Without it, a query finds items by the words that they share."),
  })
  .loose();
