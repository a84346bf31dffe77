import type { Scope } from "../db/scope.ts";
import { type Db, sql } from "../db/sql.ts";
import { cosineRange, encodeDirection, type Range } from "./code.ts";
import type { Direction } from "./embedding.ts";
import { at, type ItemName, type Place, underFrom } from "./item.ts";

interface Candidate extends ItemName, Range {}

interface CodedVector extends ItemName {
  part: number;
  /**
   * The encoded vector. Null if the vector's item does not belong to the result: it has expired, the caller may not see it, or it does not
   * match the filter. Also null if an earlier release stored the vector without an encoded form.
   */
  code: Buffer | null;
  /** The vector itself, but only if an earlier release stored it without an encoded form. Otherwise null. */
  vector: Direction | null;
}

/** The number of vectors that are compared in one turn of the event loop. Such a turn takes a few milliseconds. */
const pageSize = 1_000;
/**
 * The highest number of candidates whose vectors are then compared exactly. If the search requests more items than this, all requested
 * items can be candidates.
 */
const mostCandidates = 5_000;

/**
 * Returns candidates for the `count` items whose vectors are nearest to the query. Reads only encoded vectors, page by page. An encoded
 * vector yields only a range in which the item's similarity lies. An item stays a candidate as long as it may belong to the nearest `count`
 * items. If there are more than 5,000 candidates, those that seem farthest away are dropped.
 */
export async function findCandidates(
  db: Db,
  scope: Scope,
  place: Place,
  { indexName, wanted, count }: { indexName: string; wanted: Direction; count: number },
): Promise<ItemName[]> {
  const numbers = Float64Array.from(wanted);
  let candidates = new Map<string, Candidate>();
  let page: CodedVector[] = [];
  do {
    page = await readPage(db, scope, place, indexName, page.at(-1));
    for (const { namespace, key, code, vector } of page) {
      const known = code ?? (vector && encodeDirection(vector));
      if (known) note(candidates, { namespace, key, ...cosineRange(numbers, known) });
    }
    candidates = keepNearest(candidates, count);
  } while (page.length === pageSize);
  return [...candidates.values()];
}

/** Includes the range of one vector in the range of the item's similarity. The similarity of an item is that of its nearest vector. */
function note(candidates: Map<string, Candidate>, { namespace, key, low, high }: Candidate): void {
  const name = JSON.stringify([namespace, key]);
  const before = candidates.get(name);
  candidates.set(name, { namespace, key, low: Math.max(low, before?.low ?? low), high: Math.max(high, before?.high ?? high) });
}

function keepNearest(candidates: Map<string, Candidate>, count: number): Map<string, Candidate> {
  const lows = Float64Array.from(candidates.values(), ({ low }) => low).sort();
  const least = lows.at(-count) ?? Number.NEGATIVE_INFINITY;
  const near = [...candidates].filter(([, { high }]) => high >= least);
  const most = Math.max(mostCandidates, count);
  if (near.length <= most) return new Map(near);
  return new Map(near.sort(([, one], [, other]) => other.low + other.high - one.low - one.high).slice(0, most));
}

/**
 * Returns the next page of vectors, sorted by the names of their items. In the subquery, `offset 0` makes Postgres look up the item of each
 * vector on the page. Otherwise, Postgres might collect all matching items again for every page.
 */
async function readPage(
  db: Db,
  scope: Scope,
  { prefix, filter }: Place,
  indexName: string,
  last: CodedVector | undefined,
): Promise<CodedVector[]> {
  const after = last && sql`(namespace, key, place) > (${last.namespace}::text[], ${last.key}, ${last.part}::integer)`;
  const { rows } = await db.query<CodedVector>(sql`
    select namespace, key, part, case when fits then code end as code, case when fits and code is null then vector end as vector
      from (select namespace, key, place as part, code, vector
              from store_vectors
             where index_name = ${indexName} and ${underFrom(prefix, after)}
             order by namespace, key, place limit ${pageSize}) page
      left join lateral (
        select true as fits
          from store_items item
         where item.namespace = page.namespace and item.key = page.key and ${at(scope, { prefix: [], filter })} offset 0) matched on true
     order by namespace, key, part`);
  return rows;
}
