import { containing } from "../db/paging.ts";
import type { Scope } from "../db/scope.ts";
import { join, type Sql, sql } from "../db/sql.ts";
import { matchingAll } from "./filter.ts";

export type Json = Record<string, unknown>;

export interface Item {
  namespace: string[];
  key: string;
  value: Json;
  createdAt: Date;
  updatedAt: Date;
}

/** A stored item. `expires` is true if the item has a time to live, which a read may restart. */
export interface StoredItem extends Item {
  expires: boolean;
}

export type ItemName = Pick<Item, "namespace" | "key">;

/** The items that a search considers: those whose namespace begins with `prefix` and whose values match the filter. */
export interface Place {
  prefix: string[];
  filter?: Json | undefined;
}

export interface Part {
  limit: number;
  offset: number;
  /** The size limit of all returned values together, in bytes. Undefined means no limit. */
  bytes?: number | undefined;
}

export const columns = sql`namespace, key, value, created_at as "createdAt", updated_at as "updatedAt", expires_at is not null as expires`;
/** The condition for items that have not expired. Expired items stay in the table until the sweeper deletes them. */
export const alive = sql`(expires_at is null or expires_at > now())`;

type ItemColumns = Record<"namespace" | "key" | "value" | "metadata", Sql>;
const ownColumns: ItemColumns = { namespace: sql`namespace`, key: sql`key`, value: sql`value`, metadata: sql`metadata` };

/**
 * Returns an SQL condition that is true if the caller may see an item. A filter of the project's auth compares the item's namespace, its
 * key and the fields of its value, as on the official server. An auth handler can also store metadata with an item. If the metadata has a
 * field that the filter names, the filter compares only the metadata, because the caller chooses the value.
 */
export function inScope(scope: Scope, { namespace, key, value, metadata }: ItemColumns = ownColumns): Sql {
  return scope.visible(metadata, (field, equal) => {
    const document = { [field]: equal };
    if (field === "namespace" || field === "key")
      return containing(sql`json_build_object('namespace', ${namespace}, 'key', ${key})`, document);
    const isMarked = sql`searchable(${metadata}) ? ${field}::text`;
    return sql`(${containing(metadata, document)} or not ${isMarked} and ${containing(value, document)})`;
  });
}

/** Returns the condition for items that a search considers. They have not expired, and the caller may see them. */
export const at = (scope: Scope, { prefix, filter }: Place): Sql =>
  join([under(prefix), alive, inScope(scope), matchingAll(filter ?? {})], " and ");

/**
 * Returns the condition for namespaces that begin with a path. In byte order, these are the namespaces from the path itself up to a copy of
 * the path that ends with an additional character U+0001.
 */
function under(prefix: string[]): Sql {
  return prefix.length === 0 ? sql`true` : sql`namespace >= ${prefix}::text[] and ${beforeEnd(prefix)}`;
}

const beforeEnd = (prefix: string[]): Sql =>
  prefix.length === 0 ? sql`true` : sql`namespace < ${prefix.with(-1, `${prefix.at(-1)}\u0001`)}::text[]`;

/**
 * Returns the condition for the rows after a given row whose namespaces begin with a path. The given row already has such a namespace, so
 * the condition leaves out the path as a second lower bound. With two lower bounds, an index scan could start at the path again for every
 * page.
 */
export const underFrom = (prefix: string[], after: Sql | undefined): Sql =>
  after ? sql`${after} and ${beforeEnd(prefix)}` : under(prefix);
