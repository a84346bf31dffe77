import type { Pool } from "pg";
import { type Db, type Sql, sql, transaction } from "../db/sql.ts";
import { ServiceError } from "../errors.ts";
import { usedToday } from "../usage/usage.ts";
import { countSlots, insertSlots, unpark } from "./limit-slots.ts";
import { inForce, type LimitValues } from "./limit-values.ts";

/** A limit in the API's form. */
export interface Limit {
  name: string;
  /** The fields from `graphs` to `shadow` have the values that apply now. They combine `configured` and `override`. */
  graphs: string[];
  total: number | null;
  per_key: number | null;
  rate: string | null;
  max_waiting: number | null;
  daily_tokens: number | null;
  daily_dollars: number | null;
  shadow: boolean;
  /** The values in langgraph.json. Null for a limit that was created at run time. */
  configured: LimitValues | null;
  /** The values that were set at run time. Null if none were set. */
  override: LimitValues | null;
  running: number;
  /** The number of waiting runs that the limit counts, up to 10,000. */
  waiting: number;
  /**
   * The number of times that the limit has made a run wait, because its key had no free slot, or has refused one, because a budget was used
   * up. A limit in shadow mode does neither. It only counts the runs that it would have held up or refused, for any reason.
   */
  refused: number;
}

/** A queue key, with the numbers of its running and waiting runs that the limit counts. */
export interface KeyOfLimit {
  key: string;
  running: number;
  waiting: number;
}

const mostCounted = 10_000;
const mostUnparked = 1_000;

const countRuns = (condition: Sql): Sql => sql`
  (select count(*)::integer from (select from runs where ${condition} and graph_id = any(l.graphs) limit ${mostCounted}) r)`;

/** Returns all limits with their usage, sorted by name, or only the limit with this name. */
export async function listLimits(db: Db, name?: string): Promise<Limit[]> {
  const { rows } = await db.query<Limit>(sql`
    select name, graphs, total, per_key, shadow, max_waiting, daily_tokens::double precision as daily_tokens, daily_dollars, configured, override, refused::double precision as refused,
           coalesce(override ->> 'rate', case when override -> 'rate' is null then configured ->> 'rate' end) as rate,
           ${countRuns(sql`status = 'running'`)} as running, ${countRuns(sql`status = 'pending' and run_at <= now()`)} as waiting
      from limits l where ${name ?? null}::text is null or name = ${name ?? null} order by name`);
  return rows;
}

/** Returns a limit with its queue keys. Returns at most 100 keys, the key with the most running and waiting runs first. */
export async function readLimit(db: Db, name: string): Promise<Limit & { keys: KeyOfLimit[] }> {
  const [limit] = await listLimits(db, name);
  if (!limit) throw limitNotFound(name);
  const { rows: keys } = await db.query<KeyOfLimit>(sql`
    select queue_key as key, count(*) filter (where status = 'running')::integer as running, count(*) filter (where status = 'pending')::integer as waiting
      from runs where status in ('pending', 'running') and queue_key is not null and graph_id = any(${limit.graphs}::text[])
     group by queue_key order by count(*) desc, key limit 100`);
  return { ...limit, keys };
}

const limitNotFound = (name: string) => new ServiceError("not_found", `There is no limit with the name "${name}".`);

/**
 * Stores the limits that a project's langgraph.json defines. If the file no longer has a limit, removes the values that it had set. Leaves
 * the limits of other projects on the same database, which have other graphs, unchanged.
 */
export async function defineLimits(pool: Pool, graphIds: string[], limits: Record<string, LimitValues>): Promise<void> {
  const changed = await transaction(pool, async (tx) => {
    await tx.query(sql`select pg_advisory_xact_lock(${limitLock})`);
    const { rows } = await tx.query<StoredLimit>(sql`select name, graphs, configured, override from limits`);
    const stored = new Map(rows.map((row) => [row.name, row]));
    const gone = rows.filter(
      ({ name, graphs, configured }) => configured && !(name in limits) && graphs.every((id) => graphIds.includes(id)),
    );
    for (const { name, override } of gone) await store(tx, name, null, override);
    const names = Object.keys(limits).filter((name) => JSON.stringify(stored.get(name)?.configured) !== JSON.stringify(limits[name]));
    for (const name of names) await store(tx, name, limits[name] ?? null, stored.get(name)?.override ?? null);
    return [...names, ...gone.map(({ name }) => name)];
  });
  for (const name of changed) await settle(pool, name);
}

/**
 * Sets values of a limit at run time, in place of all values that were set at run time before. With `keepOthers`, keeps the earlier values
 * that have other names. Creates the limit if it does not exist.
 */
export async function overrideLimit(pool: Pool, name: string, values: LimitValues, { keepOthers = false } = {}): Promise<void> {
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
  if (Object.keys(given).length === 0)
    throw new ServiceError(
      "invalid",
      "Send at least one of graphs, total, per_key, rate, max_waiting, daily_tokens, daily_dollars and shadow. DELETE resets the limit.",
    );
  await change(pool, name, (stored) => ({
    configured: stored?.configured ?? null,
    override: { ...(keepOthers && stored?.override), ...given },
  }));
}

/** Removes the values that were set at run time. Deletes the limit if langgraph.json does not have it. */
export async function resetLimit(pool: Pool, name: string): Promise<void> {
  await change(pool, name, (stored) => {
    if (!stored) throw limitNotFound(name);
    return { configured: stored.configured, override: null };
  });
}

/** The key of the advisory lock that a change of a limit takes. The number is arbitrary, but no other lock may use it. */
const limitLock = 7_201_923;

interface StoredLimit {
  name: string;
  graphs: string[];
  configured: LimitValues | null;
  override: LimitValues | null;
}

type Parts = Pick<StoredLimit, "configured" | "override">;

async function change(pool: Pool, name: string, changed: (stored: Parts | undefined) => Parts): Promise<void> {
  await transaction(pool, async (tx) => {
    await tx.query(sql`select pg_advisory_xact_lock(${limitLock})`);
    const { rows } = await tx.query<Parts>(sql`select configured, override from limits where name = ${name}`);
    const { configured, override } = changed(rows[0]);
    await store(tx, name, configured, override);
  });
  await settle(pool, name);
}

/** Stores a limit, with the values that apply when `override` takes precedence over `configured`. Deletes the limit if both are null. */
async function store(tx: Db, name: string, configured: LimitValues | null, override: LimitValues | null): Promise<void> {
  if (!configured && !override) {
    await tx.query(sql`delete from limits where name = ${name}`);
    return;
  }
  const { graphs, total, perKey, rate, rateSeconds, maxWaiting, dailyTokens, dailyDollars, shadow } = inForce(name, configured, override);
  await tx.query(sql`
    insert into limits (name, graphs, configured, override, total, per_key, rate, rate_seconds, max_waiting, daily_tokens, daily_dollars, shadow)
    values (${name}, ${graphs}, ${configured && JSON.stringify(configured)}::json, ${override && JSON.stringify(override)}::json,
            ${total}::integer, ${perKey}::integer, ${rate}::integer, ${rateSeconds}::double precision, ${maxWaiting}::integer,
            ${dailyTokens}::bigint, ${dailyDollars}::double precision, ${shadow})
        on conflict (name) do update
       set graphs = excluded.graphs, configured = excluded.configured, override = excluded.override, total = excluded.total, per_key = excluded.per_key,
           rate = excluded.rate, rate_seconds = excluded.rate_seconds, max_waiting = excluded.max_waiting, daily_tokens = excluded.daily_tokens,
           daily_dollars = excluded.daily_dollars, shadow = excluded.shadow, updated_at = now()`);
  if (total === null && rate === null) await tx.query(sql`delete from limit_slots where name = ${name} and key = ''`);
  if (perKey === null) await tx.query(sql`delete from limit_slots where name = ${name} and key <> ''`);
}

/** Corrects the slots of a changed limit. Then makes parked runs claimable again if the limit no longer holds them up. */
async function settle(pool: Pool, name: string): Promise<void> {
  await insertSlots(pool, name);
  await transaction(pool, (tx) => countSlots(tx, name));
  while ((await unpark(pool, mostUnparked)) >= mostUnparked);
}

/** Refuses a new run with a 429 if its key has as many waiting runs as a limit allows. In shadow mode, a limit only counts the run. */
export async function refuseFullQueue(db: Db, key: string, graphId: string): Promise<void> {
  const { rows } = await db.query<{ name: string; most: number; shadow: boolean }>(sql`
    with full_queues as (
      select name, max_waiting, shadow from limits l
       where ${graphId} = any(graphs) and max_waiting is not null
         and (select count(*) from (select from runs where queue_key = ${key} and status = 'pending' and graph_id = any(l.graphs)
                                     limit l.max_waiting) waiting) >= max_waiting),
    noted as (update limits set refused = refused + 1 where name in (select name from full_queues where shadow))
    select name, max_waiting as most, shadow from full_queues order by shadow limit 1`);
  const [full] = rows;
  if (!full || full.shadow) return;
  throw new ServiceError(
    "too_many",
    `The queue of "${key}" is full: ${full.most} of its runs wait, which is the most that the limit "${full.name}" allows. Try again later.`,
  );
}

/** Refuses a new run if its key has used up a budget of its graph. */
export async function refuseSpentBudget(db: Db, key: string | null, graphId: string): Promise<void> {
  const spent = await findSpentBudget(db, key, graphId);
  if (spent !== undefined) throw new ServiceError("budget_spent", spent);
}

/**
 * Returns a sentence about the first budget of the graph that this queue key has used up today. Returns undefined if none is used up. Runs
 * without a key (null) share one budget. A limit in shadow mode only counts the run, and yields no sentence.
 */
export async function findSpentBudget(db: Db, key: string | null, graphId: string): Promise<string | undefined> {
  const { rows } = await db.query<BudgetRow>(sql`
    with spent as (
      select name, shadow, daily_tokens, daily_dollars, used.tokens, used.dollars
        from limits l cross join lateral ${usedToday(sql`${key ?? ""}`, sql`l.graphs`)} used
       where ${graphId} = any(l.graphs) and (used.tokens >= daily_tokens or used.dollars >= daily_dollars)),
    noted as (update limits set refused = refused + 1 where name in (select name from spent))
    select name, daily_tokens::double precision as "mostTokens", daily_dollars as "mostDollars",
           tokens::double precision as tokens, dollars::double precision as dollars
      from spent where not shadow order by name limit 1`);
  return rows[0] && sentenceAbout(key, rows[0]);
}

interface BudgetRow {
  name: string;
  mostTokens: number | null;
  mostDollars: number | null;
  tokens: number;
  dollars: number;
}

function sentenceAbout(key: string | null, { name, mostTokens, mostDollars, tokens, dollars }: BudgetRow): string {
  const whose = key === null ? "The runs without a queue key have" : `The runs of "${key}" have`;
  const isTokens = mostTokens !== null && tokens >= mostTokens;
  const used = isTokens ? `used ${tokens} of the ${mostTokens} tokens` : `cost $${dollars.toFixed(4)} of the $${mostDollars}`;
  return `${whose} ${used} that the limit "${name}" allows them for a day. New runs start again after 0:00 UTC, or when the limit is raised.`;
}
