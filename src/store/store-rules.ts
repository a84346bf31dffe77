import { z } from "zod";
import type { StoreIndex } from "./embedding.ts";
import { parseField } from "./texts.ts";

/** A time to live in minutes, at most a hundred years. */
export const Minutes = z.number().positive().max(52_560_000);

/** The rules of the store, from `store` in langgraph.json. */
export interface StoreRules {
  /** The time to live, in minutes, of an item without a time to live of its own. Null means that the item stays until it is deleted. */
  defaultTtlMinutes: number | null;
  /** True if a read restarts an item's time to live. The option of a single read takes precedence. */
  refreshOnRead: boolean;
  /** The index for searches by meaning. If undefined, searches find items that contain words of the query. */
  index?: StoreIndex | undefined;
}

interface StoreOptions {
  ttl?: { default_ttl?: number | null | undefined; refresh_on_read?: boolean | null | undefined } | null | undefined;
  index?: { dims: number; fields?: string[] | null | undefined } | null | undefined;
}

type Embedder = Pick<StoreIndex, "name" | "embed" | "hasPgvector">;

/** Returns the rules for the given options. `embedder` is the function that `store.index.embed` names. */
export function storeRules({ ttl, index }: StoreOptions, embedder: Embedder | undefined): StoreRules {
  return {
    defaultTtlMinutes: ttl?.default_ttl ?? null,
    refreshOnRead: ttl?.refresh_on_read ?? true,
    index: index && embedder ? toIndex(index, embedder) : undefined,
  };
}

function toIndex({ dims, fields }: NonNullable<StoreOptions["index"]>, { name, embed, hasPgvector }: Embedder): StoreIndex {
  for (const field of fields ?? []) parseField(field);
  return { name: `${name}/${dims}`, dims, fields: fields ?? ["$"], embed, hasPgvector };
}
