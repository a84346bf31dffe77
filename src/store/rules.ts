import { z } from "zod";

/** A time to live: a hundred years at most. */
export const Minutes = z.number().positive().max(52_560_000);

/** How items live, as `store` in langgraph.json says. */
export interface StoreRules {
  /** For items that are put without a word on it; null: until they are deleted. */
  defaultTtlMinutes: number | null;
  /** Whether a read that says nothing of it gives an item its whole time again. */
  refreshOnRead: boolean;
}

interface StoreOptions {
  ttl?: { default_ttl?: number | null | undefined; refresh_on_read?: boolean | null | undefined } | null | undefined;
}

export function storeRules({ ttl }: StoreOptions): StoreRules {
  return { defaultTtlMinutes: ttl?.default_ttl ?? null, refreshOnRead: ttl?.refresh_on_read ?? true };
}
