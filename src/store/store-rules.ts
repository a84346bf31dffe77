import { z } from "zod";
import type { StoreIndex } from "./embedding.ts";
import { parseField } from "./texts.ts";

/** A time to live, at most a hundred years. */
export const Minutes = z.number().positive().max(52_560_000);

/** The rules of the store, from `store` in langgraph.json. */
export interface StoreRules {
  /** The time to live of items whose put names none. Null means until they are deleted. */
  defaultTtlMinutes: number | null;
  /** Whether a read restarts an item's time to live by default. */
  refreshOnRead: boolean;
  /** The index that answers queries. Without it, queries match items by shared words. */
  index?: StoreIndex | undefined;
}

interface StoreOptions {
  ttl?: { default_ttl?: number | null | undefined; refresh_on_read?: boolean | null | undefined } | null | undefined;
  index?: { dims: number; fields?: string[] | null | undefined } | null | undefined;
}

type Embedder = Pick<StoreIndex, "name" | "embed" | "hasPgvector">;

/** Returns the rules for these options. `embedder` is the one that `store.index.embed` names. */
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
