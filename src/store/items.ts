import { type BoundedRows, lengthOf, readBounded } from "../db/bounded.ts";
import { type Fence, fenced } from "../db/fence.ts";
import type { Scope } from "../db/scope.ts";
import { sealableJson } from "../db/sealable.ts";
import { type Db, join, nothing, type Sql, sql } from "../db/sql.ts";
import { itemNotFound, itemNotSeen } from "../errors.ts";
import { alive, at, columns, type Item, type ItemName, inScope, type Json, type Part, type Place, type StoredItem } from "./item.ts";
import { type ItemVectors, storingVectors } from "./vectors.ts";

export interface NewItem extends Pick<Item, "namespace" | "key" | "value"> {
  /** The time to live in minutes. Null means that the item stays until it is deleted. */
  ttlMinutes: number | null;
  /** The vectors of the item's texts. Undefined if there is no index for searches by meaning, or no text to embed. */
  vectors?: ItemVectors | undefined;
  /** The metadata that an auth handler adds to the item for its own filters. Undefined keeps the metadata of the stored item. */
  metadata?: Json | undefined;
}

/**
 * Returns the `with` query `fence`, which must have a row so that a write takes effect. For an attempt, the query has no row if the attempt
 * has lost the right to write. For a caller over HTTP, who has no `fence`, the query always has a row.
 */
const byRight = (fence: Fence | undefined): Sql => (fence ? fenced(fence) : sql`fence as (select)`);

/** Returns the item with this name. Returns undefined if there is no such item, or if the caller may not see it. */
export async function findItem(db: Db, scope: Scope, { namespace, key }: ItemName): Promise<StoredItem | undefined> {
  const { rows } = await db.query<StoredItem>(sql`
    select ${columns} from store_items
     where namespace = ${namespace}::text[] and key = ${key} and ${alive} and ${inScope(scope)}`);
  return rows[0];
}

/**
 * Stores an item. If there is already an item with this name, replaces it and its vectors. Returns false if the attempt has lost the right
 * to write.
 *
 * Throws if the caller may not see the new item. Otherwise, throws if the caller may not see the item that would be replaced. The first
 * check must come first, because only the second one reveals that an item exists.
 */
export async function putItem(db: Db, scope: Scope, fence: Fence | undefined, item: NewItem): Promise<boolean> {
  const { namespace, key, value, ttlMinutes, vectors, metadata } = item;
  const newMetadata = sql`${metadata && sealableJson("store_items.metadata", metadata)}::json`;
  const { rows } = await db.query<{ fits: boolean; stored: boolean }>(sql`
    with ${byRight(fence)}, given as (
      select ${namespace}::text[] as namespace, ${key}::text as key, ${sealableJson("store_items.value", value)}::json as value, ${ttlMinutes}::float8 as ttl),
    checked as (select ${inScope(scope, { ...given, metadata: marksOf(scope, newMetadata) })} as fits from given),
    stored as (
      insert into store_items as item (namespace, key, value, metadata, ttl_minutes, expires_at)
      select namespace, key, value, coalesce(${newMetadata}, '{}'), ttl, now() + ttl * interval '1 minute'
        from fence cross join given cross join checked where fits
          on conflict (namespace, key) do update
         set value = excluded.value, updated_at = now(), ttl_minutes = excluded.ttl_minutes, expires_at = excluded.expires_at,
             created_at = case when item.expires_at <= now() then now() else item.created_at end,
             metadata = coalesce(${newMetadata}, case when item.expires_at <= now() then '{}' else item.metadata end)
       where item.expires_at <= now() or ${inScope(scope, existing)}
      returning item.namespace, item.key)
      ${vectors ? sql`, ${storingVectors(vectors)}` : nothing}
    select fits, exists (select from stored) as stored from fence cross join checked`);
  if (rows[0]?.fits === false) throw itemNotSeen();
  if (rows[0]?.stored === false) throw itemNotFound();
  return rows.length > 0;
}

const given = { namespace: sql`given.namespace`, key: sql`given.key`, value: sql`given.value` };
const existing = { namespace: sql`item.namespace`, key: sql`item.key`, value: sql`item.value`, metadata: sql`item.metadata` };

/**
 * Returns an SQL expression for the metadata to store with an item. This is the given metadata, if there is any. Otherwise, it is the
 * metadata of the item that is replaced, if the caller may see that item.
 */
const marksOf = (scope: Scope, newMetadata: Sql): Sql => sql`coalesce(${newMetadata}, (
  select item.metadata from store_items item
   where item.namespace = given.namespace and item.key = given.key and ${alive} and ${inScope(scope, existing)}), '{}')`;

/** Deletes an item, if it exists and the caller may see it. Returns false only if the attempt has lost the right to write. */
export async function deleteItem(db: Db, scope: Scope, fence: Fence | undefined, { namespace, key }: ItemName): Promise<boolean> {
  const { rows } = await db.query(sql`
    with ${byRight(fence)}, gone as (
      delete from store_items
       where namespace = ${namespace}::text[] and key = ${key} and ${inScope(scope)} and exists (select from fence))
    select from fence`);
  return rows.length > 0;
}

/**
 * Restarts the time to live of items. Skips items that another statement has locked, because that statement is storing them or is
 * restarting their time to live itself.
 */
export async function refreshItems(db: Db, fence: Fence | undefined, names: ItemName[]): Promise<void> {
  const list = join(names.map(({ namespace, key }) => sql`(${namespace}::text[], ${key}::text)`));
  await db.query(sql`
    with ${byRight(fence)}, kept as (
      select namespace, key from store_items where (namespace, key) in (values ${list}) and expires_at > now() for update skip locked)
    update store_items item set expires_at = now() + item.ttl_minutes * interval '1 minute'
      from kept, fence
     where (item.namespace, item.key) = (kept.namespace, kept.key)`);
}

/**
 * Returns the items of a search, the most recently changed item first. With a query, returns only items that contain words of the query.
 * The item with the most of these words then comes first.
 */
export async function searchItems(
  db: Db,
  scope: Scope,
  place: Place,
  query: string | undefined,
  { limit, offset, bytes }: Part,
): Promise<BoundedRows<StoredItem & { score?: number }>> {
  const words = wordsOf(query ?? "");
  const hits = sql`(select count(*)::integer from unnest(${words}::text[]) word where position(word in content) > 0)`;
  const found = words.length > 0 ? sql`, hits::float8 / ${words.length} as score` : nothing;
  const page = sql`
    select ${columns} ${found}
      from store_items
     ${
       words.length > 0
         ? sql`cross join lateral (select lower(${content}) as content offset 0) searched
     cross join lateral (select ${hits} as hits offset 0) counted`
         : nothing
     }
     where ${at(scope, place)} ${words.length > 0 ? sql`and hits > 0` : nothing}
     order by ${words.length > 0 ? sql`score desc,` : nothing} updated_at desc, namespace, key
     limit ${limit} offset ${offset}`;
  return readBounded(db, page, [lengthOf(sql`value`)], bytes);
}

/** The highest number of words of a query that a search uses. Further words are ignored. */
const mostWords = 50;

/** Returns the words of a query to search for. Words of one or two Latin letters are left out, because too many texts contain them. */
function wordsOf(query: string): string[] {
  const words = new Set(query.toLowerCase().match(/[\p{L}\p{N}]+/gu));
  return [...words].filter((word) => !/^[a-z]{1,2}$/.test(word)).slice(0, mostWords);
}

/**
 * An SQL expression for the text in which a search looks for words. It consists of the item's key and all texts in the value, without the
 * names of fields. Encrypted texts are left out, because words would match them by chance.
 */
const content = sql`key || ' ' || coalesce((
  select string_agg(text #>> '{}', ' ') from jsonb_path_query(searchable(value), 'strict $.** ? (@.type() == "string" && !(@ starts with "ensemble.sealed:"))') text), '')`;

export interface NamespaceSearch extends Part {
  conditions: { matchType: "prefix" | "suffix"; path: string[] }[];
  maxDepth?: number | undefined;
}

/**
 * Returns the namespaces that contain items, each cut off after `maxDepth` labels. In the path of a condition, `*` stands for any one
 * label.
 */
export async function listNamespaces(db: Db, scope: Scope, { conditions, maxDepth, limit, offset }: NamespaceSearch): Promise<string[][]> {
  const fits = conditions.flatMap(({ matchType, path }) => [
    sql`cardinality(namespace) >= ${path.length}`,
    ...path.flatMap((name, index) => {
      if (name === "*") return [];
      const place = matchType === "prefix" ? sql`${index + 1}::integer` : sql`cardinality(namespace) - ${path.length - index - 1}::integer`;
      return [sql`namespace[${place}] = ${name}`];
    }),
  ]);
  const { rows } = await db.query<{ path: string[] }>(sql`
    select distinct namespace[1:${maxDepth ?? 2_147_483_647}::integer] as path
      from store_items
     where ${join([alive, inScope(scope), ...fits], " and ")}
     order by path limit ${limit} offset ${offset}`);
  return rows.map(({ path }) => path);
}

/** Deletes up to `limit` expired items, and returns the number of deleted items. Skips locked rows, which a later sweep deletes. */
export async function sweepItems(db: Db, limit: number): Promise<number> {
  const { rowCount } = await db.query(sql`
    delete from store_items
     where (namespace, key) in (select namespace, key from store_items where ${expired} order by expires_at limit ${limit} for update skip locked)
       and ${expired}`);
  return rowCount ?? 0;
}

/** Returns the number of expired items that are still stored. */
export async function countExpiredItems(db: Db): Promise<number> {
  const { rows } = await db.query<{ count: number }>(sql`select count(*)::integer as count from store_items where ${expired}`);
  return rows[0]?.count ?? 0;
}

const expired = sql`expires_at <= now()`;
