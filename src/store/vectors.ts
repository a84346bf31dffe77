import type { Scope } from "../db/scope.ts";
import { type Db, type Sql, sql } from "../db/sql.ts";
import type { Direction, StoreIndex } from "./embedding.ts";
import { at, columns, type Part, type Place, type StoredItem } from "./item.ts";
import { cosineByPgvector } from "./pgvector.ts";

/**
 * How many vectors a search compares at most. One of 1,536 dimensions takes 0.2 ms in plain SQL, and with pgvector less than a tenth of that, most of
 * it for reading it from where large values lie. That of a sketch takes a microsecond, so where there are more vectors, those are compared
 * whose sketches are nearest to the query's.
 */
const mostCompared = { sql: 2_000, pgvector: 20_000 };

/** What queries are compared with of an item: its directions, and in which index. */
export interface ItemVectors {
  index: Pick<StoreIndex, "name" | "hasPgvector">;
  directions: Direction[];
}

/** The part of a put that stores the item's vectors, after a part `stored` that returns its name. */
export function storingVectors({ index, directions }: ItemVectors): Sql {
  return sql`embedded as (
    insert into store_vectors (namespace, key, place, index_name, vector, sketch)
    select namespace, key, place, ${index.name}, vector::real[], sketch::bit varying
      from stored, unnest(${directions.map(toArray)}::text[], ${directions.map(sketch)}::text[]) with ordinality given (vector, sketch, place))`;
}

/** Items under a path by how near they are to a direction: an item is as near as the nearest of its vectors. */
export async function searchVectors(
  db: Db,
  scope: Scope,
  place: Place,
  { index, directions }: ItemVectors,
  { limit, offset }: Part,
): Promise<(StoredItem & { score: number })[]> {
  const [wanted = []] = directions;
  const cosine = index.hasPgvector
    ? cosineByPgvector(toArray(wanted), sql`vector`)
    : sql`(select sum(mine * theirs) from unnest(${toArray(wanted)}::float8[], vector) pair (mine, theirs))`;
  const { rows } = await db.query<StoredItem & { score: number }>(sql`
    with near as (
      select namespace, key, vector
        from store_vectors join store_items using (namespace, key)
       where index_name = ${index.name} and ${at(scope, place)}
       order by bit_count(sketch # ${sketch(wanted)}::bit varying) limit ${mostCompared[index.hasPgvector ? "pgvector" : "sql"]}),
    nearest as (
      select namespace, key, max(${cosine}) as score from near
       group by namespace, key order by score desc, namespace, key limit ${limit} offset ${offset})
    select ${columns}, least(score, 1) as score
      from nearest join store_items using (namespace, key)
     order by nearest.score desc, namespace, key`);
  return rows;
}

const toArray = (direction: Direction): string => `{${direction.map((number) => number.toPrecision(8)).join(",")}}`;

/** Where the numbers of vectors that point nowhere in particular are cut into four even parts, but for the number of dimensions. */
const cuts = [-0.7, 0, 0.7];

/** Three bits a number: how many cuts it lies beyond. Two sketches differ in as many bits as their numbers lie apart. */
function sketch(direction: Direction): string {
  const scale = Math.sqrt(direction.length);
  return direction.map((number) => cuts.map((cut) => (number * scale > cut ? "1" : "0")).join("")).join("");
}
