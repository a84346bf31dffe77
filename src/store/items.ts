import { type Fence, fenced } from "../db/fence.ts";
import { containing } from "../db/paging.ts";
import { type Db, join, nothing, type Sql, sql } from "../db/sql.ts";

export type Json = Record<string, unknown>;

export interface Item {
  namespace: string[];
  key: string;
  value: Json;
  createdAt: Date;
  updatedAt: Date;
}

export interface ItemSearch {
  prefix: string[];
  filter?: Json | undefined;
  query?: string | undefined;
  limit: number;
  offset: number;
}

const columns = sql`namespace, key, value, created_at as "createdAt", updated_at as "updatedAt"`;

export async function findItem(db: Db, namespace: string[], key: string): Promise<Item | undefined> {
  const { rows } = await db.query<Item>(sql`select ${columns} from store_items where namespace = ${namespace}::text[] and key = ${key}`);
  return rows[0];
}

/** Stores an item, over the one that was there. False when the attempt has lost the right to write. */
export async function putItem(
  db: Db,
  fence: Fence,
  { namespace, key, value }: Pick<Item, "namespace" | "key" | "value">,
): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    with ${fenced(fence)}, stored as (
      insert into store_items (namespace, key, value)
      select ${namespace}::text[], ${key}, ${JSON.stringify(value)}::json from fence
          on conflict (namespace, key) do update set value = excluded.value, updated_at = now())
    select 1 from fence`);
  return rowCount !== 0;
}

/** Deletes an item, if there is one. False when the attempt has lost the right to write. */
export async function deleteItem(db: Db, fence: Fence, namespace: string[], key: string): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    with ${fenced(fence)}, gone as (
      delete from store_items where namespace = ${namespace}::text[] and key = ${key} and exists (select from fence))
    select 1 from fence`);
  return rowCount !== 0;
}

/** Items under a path. With a query, those that share words with it, the most first; else the latest first. */
export async function searchItems(
  db: Db,
  { prefix, filter = {}, query, limit, offset }: ItemSearch,
): Promise<(Item & { score?: number })[]> {
  const words = wordsOf(query ?? "");
  const hits = sql`(select count(*)::integer from unnest(${words}::text[]) word where position(word in lower(${content})) > 0)`;
  const found = words.length > 0 ? sql`, ${hits}::float8 / ${words.length} as score` : nothing;
  const { rows } = await db.query<Item & { score?: number }>(sql`
    select ${columns} ${found}
      from store_items
     where ${under(prefix)} and ${join([sql`true`, ...Object.entries(filter).map(matching)], " and ")} ${words.length > 0 ? sql`and ${hits} > 0` : nothing}
     order by ${words.length > 0 ? sql`score desc,` : nothing} updated_at desc, namespace, key
     limit ${limit} offset ${offset}`);
  return rows;
}

/** Words to look for; those of one or two Latin letters are parts of too many others. */
function wordsOf(query: string): string[] {
  const words = new Set(query.toLowerCase().match(/[\p{L}\p{N}]+/gu));
  return [...words].filter((word) => !/^[a-z]{1,2}$/.test(word));
}

/** What an item says: its key and every text in it, but not the names of its fields. */
const content = sql`key || ' ' || coalesce((
  select string_agg(text #>> '{}', ' ') from jsonb_path_query(searchable(value), 'strict $.** ? (@.type() == "string")') text), '')`;

/** In the order of bytes, what begins with a path lies between it and the same path with the lowest character at its end. */
function under(prefix: string[]): Sql {
  if (prefix.length === 0) return sql`true`;
  const beyond = prefix.with(-1, `${prefix.at(-1)}\u0001`);
  return sql`namespace >= ${prefix}::text[] and namespace < ${beyond}::text[]`;
}

const operators: Record<string, Sql> = { $eq: sql`=`, $ne: sql`<>`, $gt: sql`>`, $gte: sql`>=`, $lt: sql`<`, $lte: sql`<=` };

/** `{ field: value }`, or `{ field: { $gt: value } }`, which compares what is of the same type. */
function matching([field, wanted]: [string, unknown]): Sql {
  const comparisons = typeof wanted === "object" && wanted !== null ? Object.entries(wanted).filter(([name]) => name.startsWith("$")) : [];
  if (comparisons.length === 0) return containing(sql`value`, { [field]: wanted });
  return join(
    comparisons.map(([name, value]) => {
      const operator = operators[name];
      if (!operator) throw new Error(`A filter knows ${Object.keys(operators).join(", ")}; "${name}" is none of them.`);
      const [left, right] = [sql`searchable(value) -> ${field}`, sql`searchable(${JSON.stringify(value)}::json)`];
      const sameType = name === "$ne" ? nothing : sql`and jsonb_typeof(${left}) = jsonb_typeof(${right})`;
      return sql`(${left} ${operator} ${right} ${sameType})`;
    }),
    " and ",
  );
}

export interface NamespaceSearch {
  conditions: { matchType: "prefix" | "suffix"; path: string[] }[];
  maxDepth?: number | undefined;
  limit: number;
  offset: number;
}

/** The paths under which there are items, cut off at a depth. In a condition, `*` stands for any one name. */
export async function listNamespaces(db: Db, { conditions, maxDepth, limit, offset }: NamespaceSearch): Promise<string[][]> {
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
     where ${join([sql`true`, ...fits], " and ")}
     order by path limit ${limit} offset ${offset}`);
  return rows.map(({ path }) => path);
}
