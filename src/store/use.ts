import type { Fence } from "../db/fence.ts";
import type { Db } from "../db/sql.ts";
import { findItem, type Item, type ItemName, type Part, type Place, putItem, refreshItems, type StoredItem, searchItems } from "./items.ts";
import { checkSize } from "./namespace.ts";
import type { StoreRules } from "./rules.ts";

/** By which rules the store is used, and by whose right: an attempt's, or that of a caller over HTTP, who needs none. */
export interface StoreUse {
  rules: StoreRules;
  fence?: Fence;
}

export interface Put extends Pick<Item, "namespace" | "key" | "value"> {
  /** Minutes. Null: for ever; undefined: as the rules say. */
  ttl?: number | null | undefined;
}

export interface Read {
  /** Undefined: as the rules say. */
  refreshTtl?: boolean | undefined;
}

export interface Search extends Place, Part, Read {
  query?: string | undefined;
}

/** Puts an item as the rules say. False when the attempt has lost the right to write. */
export async function putInStore(db: Db, { rules, fence }: StoreUse, { ttl, ...item }: Put): Promise<boolean> {
  checkSize(item.namespace, item.key);
  return putItem(db, fence, { ...item, ttlMinutes: ttl === undefined ? rules.defaultTtlMinutes : ttl });
}

/** The item of that name, whose time begins anew when it has one. */
export async function getFromStore(db: Db, use: StoreUse, { refreshTtl, ...name }: ItemName & Read): Promise<Item | undefined> {
  const found = await findItem(db, name);
  if (!found) return undefined;
  await refresh(db, use, refreshTtl, [found]);
  return toItem(found);
}

/** The items that a search finds, whose time begins anew when they have one. */
export async function searchStore(db: Db, use: StoreUse, { query, refreshTtl, limit, offset, ...place }: Search): Promise<Item[]> {
  const found = await searchItems(db, place, query, { limit, offset });
  await refresh(db, use, refreshTtl, found);
  return found.map(toItem);
}

async function refresh(db: Db, { rules, fence }: StoreUse, refreshTtl = rules.refreshOnRead, found: StoredItem[]): Promise<void> {
  const perishable = found.filter(({ expires }) => expires);
  if (refreshTtl && perishable.length > 0) await refreshItems(db, fence, perishable);
}

function toItem<Found extends StoredItem>({ expires, ...item }: Found): Omit<Found, "expires"> {
  return item;
}
