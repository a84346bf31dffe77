import type { BoundedRows } from "../db/bounded.ts";
import type { Fence } from "../db/fence.ts";
import type { Scope } from "../db/scope.ts";
import type { Db } from "../db/sql.ts";
import { embedItem, embedQuery } from "./embedding.ts";
import type { Item, ItemName, Part, Place, StoredItem } from "./item.ts";
import { findItem, putItem, refreshItems, searchItems } from "./items.ts";
import { checkSize } from "./namespace.ts";
import type { StoreRules } from "./store-rules.ts";
import { type ItemVectors, searchVectors } from "./vectors.ts";

/**
 * The rules by which the store is used. `fence` is the right to write of the attempt that uses the store. For a caller over HTTP, it is
 * undefined, because such a caller needs no right of an attempt.
 */
export interface StoreUse {
  rules: StoreRules;
  fence?: Fence;
}

export interface Put extends Pick<Item, "namespace" | "key" | "value"> {
  /** The time to live in minutes. Null means that the item never expires. Undefined means the default of the rules. */
  ttl?: number | null | undefined;
  /**
   * The fields by which searches by meaning find the item. False means that they do not find it. Undefined means the default of the rules.
   */
  index?: false | string[] | undefined;
  metadata?: Item["value"] | undefined;
}

export interface Read {
  /** True to restart the time to live of the items that are read. Undefined means the default of the rules. */
  refreshTtl?: boolean | undefined;
}

export interface Search extends Place, Part, Read {
  query?: string | undefined;
  /** The vector of the query, if `embedSearch` has already computed it. Undefined otherwise. */
  meaning?: ItemVectors | undefined;
}

/**
 * Embeds the texts of an item, and stores the item according to the rules. Returns false if the attempt has lost the right to write. Do not
 * call it in a transaction, because embedding may take long.
 */
export async function putInStore(db: Db, scope: Scope, { rules, fence }: StoreUse, { ttl, index, ...item }: Put): Promise<boolean> {
  checkSize(item.namespace, item.key);
  const directions = rules.index ? await embedItem(rules.index, item.value, index) : [];
  const vectors = rules.index && directions.length > 0 ? { index: rules.index, directions } : undefined;
  return putItem(db, scope, fence, { ...item, ttlMinutes: ttl === undefined ? rules.defaultTtlMinutes : ttl, vectors });
}

/**
 * Returns the item with this name, or undefined if there is none. Restarts the item's time to live if the read asks for this. If the read
 * says nothing about it, the store's rules decide.
 */
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

/**
 * Returns the items that a search finds. Compares meaning if there is an index and a query. Otherwise, compares words. Restarts the time to
 * live of the found items if the search asks for this. If the search says nothing about it, the store's rules decide.
 */
export async function searchStore(
  db: Db,
  scope: Scope,
  use: StoreUse,
  { query = "", meaning, refreshTtl, limit, offset, bytes, ...place }: Search,
): Promise<BoundedRows<Item>> {
  const wanted = meaning ?? (await embedSearch(use, query));
  const part = { limit, offset, bytes };
  const found = wanted ? searchVectors(db, scope, place, wanted, part) : searchItems(db, scope, place, query, part);
  const { rows, isCut } = await found;
  await refresh(db, use, refreshTtl, rows);
  return { rows: rows.map(toItem), isCut };
}

/** Returns the vector of a search's query. Returns undefined if there is no index or no query. */
export async function embedSearch({ rules: { index } }: StoreUse, query = ""): Promise<ItemVectors | undefined> {
  if (!index || query.trim() === "") return undefined;
  return { index, directions: [await embedQuery(index, query)] };
}

async function refresh(db: Db, { rules, fence }: StoreUse, refreshTtl = rules.refreshOnRead, found: StoredItem[]): Promise<void> {
  const expiring = found.filter(({ expires }) => expires);
  if (refreshTtl && expiring.length > 0) await refreshItems(db, fence, expiring);
}

function toItem<Found extends StoredItem>({ expires, ...item }: Found): Omit<Found, "expires"> {
  return item;
}
