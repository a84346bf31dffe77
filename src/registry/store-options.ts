import { z } from "zod";

/** The schema of `store` in langgraph.json: when items expire, and how they are searched by meaning. */
export const StoreOptions = z
  .object({
    ttl: z
      .object({
        default_ttl: z
          .number()
          .positive()
          .max(52_560_000)
          .nullish()
          .describe(
            "Minutes after which an item expires, if the request that stores it sets no `ttl`. Without this key, such items never expire.",
          ),
        refresh_on_read: z.boolean().nullish().describe("`true`: reading an item restarts its time to live. Default: `true`."),
        sweep_interval_minutes: z
          .number()
          .positive()
          .max(40_000)
          .nullish()
          .describe("Minutes between two deletions of expired items. Without this key, expired items are deleted every few seconds."),
      })
      .loose()
      .nullish()
      .describe("Expiry of items."),
    index: z
      .object({
        dims: z.number().int().min(1).max(16_000).describe("Dimensions of the vectors."),
        embed: z
          .string()
          .min(1)
          .describe("Embedding model: `openai:<model>`, or the file and export of your own function (`./embed.ts:embed`)."),
        fields: z
          .array(z.string().min(1))
          .min(1)
          .max(50)
          .nullish()
          .describe("Fields that are embedded, each as a separate vector. Default: `$`, the whole object."),
      })
      .loose()
      .nullish()
      .describe("Search by meaning. Without this key, a search finds items that contain words of the query."),
  })
  .loose();
