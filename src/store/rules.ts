import { z } from "zod";
import type { StoreIndex } from "./embedding.ts";
import { parseField } from "./texts.ts";

/** A time to live: a hundred years at most. */
export const Minutes = z.number().positive().max(52_560_000);

/** How items live, as `store` in langgraph.json says. */
export interface StoreRules {
  /** For items that are put without a word on it; null: until they are deleted. */
  defaultTtlMinutes: number | null;
  /** Whether a read that says nothing of it gives an item its whole time again. */
  refreshOnRead: boolean;
  /** What queries are answered by; without it, by the words that items share with them. */
  index?: StoreIndex | undefined;
}

interface StoreOptions {
  ttl?: { default_ttl?: number | null | undefined; refresh_on_read?: boolean | null | undefined } | null | undefined;
  index?: { dims: number; fields?: string[] | null | undefined } | null | undefined;
}

type Embedder = Pick<StoreIndex, "name" | "embed" | "hasPgvector">;

/** `embedder` is what `store.index.embed` names. */
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
