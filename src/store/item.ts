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

/** An item as it is stored: one that has a time to live is to be refreshed when it is read. */
export interface StoredItem extends Item {
  expires: boolean;
}

export type ItemName = Pick<Item, "namespace" | "key">;

/** Where to look: under a path, at what matches the filter. */
export interface Place {
  prefix: string[];
  filter?: Json | undefined;
}

export interface Part {
  limit: number;
  offset: number;
  /** How many bytes the values may hold together. */
  bytes?: number | undefined;
}

export const columns = sql`namespace, key, value, created_at as "createdAt", updated_at as "updatedAt", expires_at is not null as expires`;
/** What is over is gone, whether the sweeper was there or not. */
export const alive = sql`(expires_at is null or expires_at > now())`;

type ItemColumns = Record<"namespace" | "key" | "value" | "metadata", Sql>;
const ownColumns: ItemColumns = { namespace: sql`namespace`, key: sql`key`, value: sql`value`, metadata: sql`metadata` };

/**
 * Returns whether an item is in scope. As on the official server, a filter compares the namespace, the key and the fields of the value. A
 * mark of a handler's comes before a field of the value of that name, because whoever puts an item chooses its value.
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

/** The items of a place that are alive and in scope. */
export const at = (scope: Scope, { prefix, filter }: Place): Sql =>
  join([under(prefix), alive, inScope(scope), matchingAll(filter ?? {})], " and ");

/** In the order of bytes, what begins with a path lies between it and the same path with the lowest character at its end. */
function under(prefix: string[]): Sql {
  return prefix.length === 0 ? sql`true` : sql`namespace >= ${prefix}::text[] and ${beforeEnd(prefix)}`;
}

const beforeEnd = (prefix: string[]): Sql =>
  prefix.length === 0 ? sql`true` : sql`namespace < ${prefix.with(-1, `${prefix.at(-1)}\u0001`)}::text[]`;

/** What is under a path, from behind a row on. One lower bound only: of two, an index may start from the lower one every time. */
export const underFrom = (prefix: string[], behind: Sql | undefined): Sql =>
  behind ? sql`${behind} and ${beforeEnd(prefix)}` : under(prefix);
