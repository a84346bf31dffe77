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

/** A stored item. One that expires may be refreshed by a read. */
export interface StoredItem extends Item {
  expires: boolean;
}

export type ItemName = Pick<Item, "namespace" | "key">;

/** The items to search: those under a path that match the filter. */
export interface Place {
  prefix: string[];
  filter?: Json | undefined;
}

export interface Part {
  limit: number;
  offset: number;
  /** The size limit of all values together. */
  bytes?: number | undefined;
}

export const columns = sql`namespace, key, value, created_at as "createdAt", updated_at as "updatedAt", expires_at is not null as expires`;
/** Excludes expired items, whether the sweeper has deleted them or not. */
export const alive = sql`(expires_at is null or expires_at > now())`;

type ItemColumns = Record<"namespace" | "key" | "value" | "metadata", Sql>;
const ownColumns: ItemColumns = { namespace: sql`namespace`, key: sql`key`, value: sql`value`, metadata: sql`metadata` };

/**
 * Returns the condition that an item is in scope. As on the official server, a filter compares the namespace, the key and the fields of the
 * value. A mark set by an auth handler takes precedence over a field of the value, because the caller who puts an item chooses its value.
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

/** Selects the unexpired items of a place that are in scope. */
export const at = (scope: Scope, { prefix, filter }: Place): Sql =>
  join([under(prefix), alive, inScope(scope), matchingAll(filter ?? {})], " and ");

/** Selects namespaces under a path. In byte order, they lie between the path and the same path with the lowest character appended. */
function under(prefix: string[]): Sql {
  return prefix.length === 0 ? sql`true` : sql`namespace >= ${prefix}::text[] and ${beforeEnd(prefix)}`;
}

const beforeEnd = (prefix: string[]): Sql =>
  prefix.length === 0 ? sql`true` : sql`namespace < ${prefix.with(-1, `${prefix.at(-1)}\u0001`)}::text[]`;

/** Selects namespaces under a path, after a row. It has one lower bound: with two, an index scan may start at the lower one every time. */
export const underFrom = (prefix: string[], after: Sql | undefined): Sql =>
  after ? sql`${after} and ${beforeEnd(prefix)}` : under(prefix);
