import type { BoundedRows } from "../db/bounded.ts";
import type { Fence } from "../db/fence.ts";
import type { Scope } from "../db/scope.ts";
import type { Db } from "../db/sql.ts";
import { embedItem, embedQuery } from "./embedding.ts";
import type { Item, ItemName, Part, Place, StoredItem } from "./item.ts";
import { findItem, putItem, refreshItems, searchItems } from "./items.ts";
import { checkSize } from "./namespace.ts";
import type { StoreRules } from "./rules.ts";
import { type ItemVectors, searchVectors } from "./vectors.ts";

/** By which rules the store is used, and by whose right: an attempt's, or that of a caller over HTTP, who needs none. */
export interface StoreUse {
  rules: StoreRules;
  fence?: Fence;
}

export interface Put extends Pick<Item, "namespace" | "key" | "value"> {
  /** Minutes. Null: for ever; undefined: as the rules say. */
  ttl?: number | null | undefined;
  /** The fields by which queries find it; false: none. Undefined: as the rules say. */
  index?: false | string[] | undefined;
  metadata?: Item["value"] | undefined;
}

export interface Read {
  /** Undefined: as the rules say. */
  refreshTtl?: boolean | undefined;
}

export interface Search extends Place, Part, Read {
  query?: string | undefined;
}

/** Puts an item as the rules say. False when the attempt has lost the right to write. Not for a transaction: an index may take its time. */
export async function putInStore(db: Db, scope: Scope, { rules, fence }: StoreUse, { ttl, index, ...item }: Put): Promise<boolean> {
  checkSize(item.namespace, item.key);
  const directions = rules.index ? await embedItem(rules.index, item.value, index) : [];
  const vectors = rules.index && directions.length > 0 ? { index: rules.index, directions } : undefined;
  return putItem(db, scope, fence, { ...item, ttlMinutes: ttl === undefined ? rules.defaultTtlMinutes : ttl, vectors });
}

/** The item of that name, whose time begins anew when it has one. */
export async function getFromStore(
  db: Db,
  scope: Scope,
  use: StoreUse,
  { refreshTtl, ...name }: ItemName & Read,
): Promise<Item | undefined> {
  const found = await findItem(db, scope, name);
  if (!found) return undefined;
  await refresh(db, use, refreshTtl, [found]);
  return toItem(found);
}

/** The items that a search finds, by meaning where there is an index. The time of those that have one begins anew. */
export async function searchStore(
  db: Db,
  scope: Scope,
  use: StoreUse,
  { query = "", refreshTtl, limit, offset, bytes, ...place }: Search,
): Promise<BoundedRows<Item>> {
  const wanted = await vectorsOf(use, query);
  const { rows, isCut } = wanted
    ? { rows: await searchVectors(db, scope, place, wanted, { limit, offset }), isCut: false }
    : await searchItems(db, scope, place, query, { limit, offset, bytes });
  await refresh(db, use, refreshTtl, rows);
  return { rows: rows.map(toItem), isCut };
}

async function vectorsOf({ rules: { index } }: StoreUse, query: string): Promise<ItemVectors | undefined> {
  if (!index || query.trim() === "") return undefined;
  return { index, directions: [await embedQuery(index, query)] };
}

async function refresh(db: Db, { rules, fence }: StoreUse, refreshTtl = rules.refreshOnRead, found: StoredItem[]): Promise<void> {
  const perishable = found.filter(({ expires }) => expires);
  if (refreshTtl && perishable.length > 0) await refreshItems(db, fence, perishable);
}

function toItem<Found extends StoredItem>({ expires, ...item }: Found): Omit<Found, "expires"> {
  return item;
}
