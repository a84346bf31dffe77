import { type BoundedRows, lengthOf, readBounded } from "../db/bounded.ts";
import type { Scope } from "../db/scope.ts";
import { type Db, type Sql, sql } from "../db/sql.ts";
import { findCandidates } from "./candidates.ts";
import { encodeDirection } from "./code.ts";
import type { Direction, StoreIndex } from "./embedding.ts";
import { at, columns, type ItemName, type Part, type Place, type StoredItem } from "./item.ts";
import { cosineByPgvector } from "./pgvector.ts";

/** The vectors of an item or of a query, each scaled to length one, and the index to which they belong. */
export interface ItemVectors {
  index: Pick<StoreIndex, "name" | "hasPgvector">;
  directions: Direction[];
}

/**
 * Returns a `with` query that stores an item's vectors. In the statement, the query must follow the query `stored`, which returns the
 * item's name.
 */
export function storingVectors({ index, directions }: ItemVectors): Sql {
  return sql`embedded as (
    insert into store_vectors (namespace, key, place, index_name, vector, code)
    select namespace, key, place, ${index.name}, vector::real[], code
      from stored, unnest(${directions.map(toArray)}::text[], ${directions.map(encodeDirection)}::bytea[])
                     with ordinality given (vector, code, place))`;
}

/**
 * Returns the items of a search, the nearest to the query's vector first. If an item has several vectors, only the nearest one counts. With
 * pgvector, all vectors are compared exactly. Without it, this would take 0.15 ms for each vector of 1,536 dimensions, so only the vectors
 * of candidates are compared exactly.
 */
export async function searchVectors(
  db: Db,
  scope: Scope,
  place: Place,
  { index, directions }: ItemVectors,
  { limit, offset, bytes }: Part,
): Promise<BoundedRows<StoredItem & { score: number }>> {
  const [wanted = []] = directions;
  const vectors = index.hasPgvector
    ? sql`store_vectors join store_items using (namespace, key) where ${at(scope, place)} and`
    : vectorsOf(await findCandidates(db, scope, place, { indexName: index.name, wanted, count: limit + offset }));
  const cosine = index.hasPgvector
    ? cosineByPgvector(toArray(wanted), sql`vector`)
    : sql`(select sum(mine * theirs) from unnest(${toArray(wanted)}::float8[], vector) pair (mine, theirs))`;
  const page = sql`
    with nearest as (
      select namespace, key, max(${cosine}) as score from ${vectors} index_name = ${index.name}
       group by namespace, key order by score desc, namespace, key limit ${limit} offset ${offset})
    select ${columns}, least(score, 1) as score
      from nearest join store_items using (namespace, key)
     order by nearest.score desc, namespace, key`;
  return readBounded(db, page, [lengthOf(sql`value`)], bytes);
}

/** Selects the vectors of items. It names the collation of the index, because Postgres would not use the index otherwise. */
const vectorsOf = (names: ItemName[]): Sql => sql`
  (select path::text[] collate "C" as namespace, key
     from unnest(${names.map(({ namespace }) => pathArray(namespace))}::text[], ${names.map(({ key }) => key)}::text[]) named (path, key)) candidate
  join store_vectors using (namespace, key) where`;

/**
 * Returns a namespace as text in the form of a Postgres array. Postgres has no arrays of arrays with different lengths, so a list of
 * namespaces is passed as an array of such texts.
 */
const pathArray = (namespace: string[]): string => `{${namespace.map((label) => `"${label.replace(/["\\]/g, "\\$&")}"`).join(",")}}`;

const toArray = (direction: Direction): string => `{${direction.map((number) => number.toPrecision(8)).join(",")}}`;
