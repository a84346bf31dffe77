import { z } from "zod";
import { type Db, join, prepared, type Sql, sql } from "../db/sql.ts";
import type { CallTokens } from "./prices.ts";

/** The sum of the usage of model calls with the same key, graph and model. */
export interface Usage extends CallTokens {
  /** The queue key of the runs. Empty for runs without a key. */
  key: string;
  graphId: string;
  model: string;
  calls: number;
  failedCalls: number;
  estimatedCalls: number;
  unpricedCalls: number;
  dollars: number;
}

/**
 * The data of a statement that adds usage. Each process that writes usage counts its statements in `number`. If a statement is repeated
 * after an error, its number shows whether the first try already took effect.
 */
export interface UsageWrite {
  writerId: string;
  number: number;
  usages: Usage[];
}

/**
 * Adds usage to the current day in UTC. The day comes from the database's clock, because the clocks of workers may differ. The rows are
 * written in the order of their key, so that two workers cannot block each other.
 */
export async function addUsage(db: Db, { writerId, number, usages }: UsageWrite): Promise<void> {
  const column = <Value>(of: (usage: Usage) => Value) => usages.map(of);
  const statement = sql`
    with written as (
      insert into usage_writers as w (writer_id, written) values (${writerId}::uuid, ${number}::bigint)
          on conflict (writer_id) do update set written = excluded.written, used_at = now() where w.written < excluded.written
      returning 1)
    insert into usage as u (day, key, graph_id, model, calls, failed_calls, estimated_calls, unpriced_calls,
                            input_tokens, cached_tokens, output_tokens, dollars)
    select (now() at time zone 'utc')::date, added.*
      from written cross join unnest(
        ${column(({ key }) => key)}::text[], ${column(({ graphId }) => graphId)}::text[], ${column(({ model }) => model)}::text[],
        ${column(({ calls }) => calls)}::bigint[], ${column(({ failedCalls }) => failedCalls)}::bigint[],
        ${column(({ estimatedCalls }) => estimatedCalls)}::bigint[], ${column(({ unpricedCalls }) => unpricedCalls)}::bigint[],
        ${column(({ inputTokens }) => inputTokens)}::bigint[], ${column(({ cachedTokens }) => cachedTokens)}::bigint[],
        ${column(({ outputTokens }) => outputTokens)}::bigint[], ${column(({ dollars }) => dollars)}::numeric[]) added (key, graph_id, model)
     order by key, graph_id, model
        on conflict (day, key, graph_id, model) do update
       set calls = u.calls + excluded.calls, failed_calls = u.failed_calls + excluded.failed_calls,
           estimated_calls = u.estimated_calls + excluded.estimated_calls, unpriced_calls = u.unpriced_calls + excluded.unpriced_calls,
           input_tokens = u.input_tokens + excluded.input_tokens, cached_tokens = u.cached_tokens + excluded.cached_tokens,
           output_tokens = u.output_tokens + excluded.output_tokens, dollars = u.dollars + excluded.dollars`;
  await db.query(prepared("add usage", statement));
}

/** The columns by which usage can be summed. */
export const UsagePart = z.enum(["day", "key", "graph", "model"]);
export type UsagePart = z.infer<typeof UsagePart>;

/** The usage to sum. Days are dates in UTC, such as `2026-11-29`. */
export interface UsageFilter {
  by: UsagePart[];
  /** The first day to sum. If undefined, the last 30 days are summed. */
  since?: string | undefined;
  until?: string | undefined;
  key?: string | undefined;
  graph?: string | undefined;
  model?: string | undefined;
  limit: number;
  offset: number;
}

/** A sum of usage, with a field for each column by which the usage was summed. Runs without a key have the key null. */
export interface UsageSum {
  day?: string;
  key?: string | null;
  graph?: string;
  model?: string;
  calls: number;
  failed_calls: number;
  estimated_calls: number;
  unpriced_calls: number;
  input_tokens: number;
  cached_tokens: number;
  output_tokens: number;
  dollars: number;
}

const parts: Record<UsagePart, { column: Sql; shown: Sql }> = {
  day: { column: sql`day`, shown: sql`to_char(day, 'YYYY-MM-DD') as day` },
  key: { column: sql`key`, shown: sql`nullif(key, '') as key` },
  graph: { column: sql`graph_id`, shown: sql`graph_id as graph` },
  model: { column: sql`model`, shown: sql`model` },
};

/** Sums usage by the given columns. Sorts the sums by day, the newest first, and then by cost and tokens, the highest first. */
export async function sumUsage(db: Db, { by, since, until, key, graph, model, limit, offset }: UsageFilter): Promise<UsageSum[]> {
  const wanted = by.map((part) => parts[part]);
  const shown = wanted.map((part) => part.shown);
  const columns = wanted.map(({ column }) => column);
  const newest = by.includes("day") ? [sql`usage.day desc`] : [];
  const sum = (column: Sql) => sql`coalesce(sum(${column}), 0)::double precision as ${column}`;
  const { rows } = await db.query<UsageSum>(sql`
    select ${join([...shown, sum(sql`calls`)])}, ${sum(sql`failed_calls`)}, ${sum(sql`estimated_calls`)}, ${sum(sql`unpriced_calls`)},
           ${sum(sql`input_tokens`)}, ${sum(sql`cached_tokens`)}, ${sum(sql`output_tokens`)}, ${sum(sql`dollars`)}
      from usage
     where day >= coalesce(${since ?? null}::date, (now() at time zone 'utc')::date - 29) and (${until ?? null}::date is null or day <= ${until ?? null}::date)
       and (${key ?? null}::text is null or key = ${key ?? null}) and (${graph ?? null}::text is null or graph_id = ${graph ?? null})
       and (${model ?? null}::text is null or model = ${model ?? null})
     group by ${columns.length > 0 ? join(columns) : sql`()`}
     order by ${join([...newest, sql`sum(usage.dollars) desc`, sql`sum(usage.input_tokens + usage.output_tokens) desc`, ...columns])}
     limit ${limit} offset ${offset}`);
  return rows;
}

/** Returns a subquery of the tokens and dollars that a key has used today with some graphs, as a row with `tokens` and `dollars`. */
export const usedToday = (key: Sql, graphs: Sql): Sql => sql`
  (select coalesce(sum(input_tokens + output_tokens), 0) as tokens, coalesce(sum(dollars), 0) as dollars
     from usage where day = (now() at time zone 'utc')::date and key = ${key} and graph_id = any(${graphs}))`;

const isOutdated = (days: number) => sql`day < (now() at time zone 'utc')::date - ${days}::integer`;

/** Returns the number of rows of usage that are more than `days` days old. */
export async function countOutdatedUsage(db: Db, days: number): Promise<number> {
  const { rows } = await db.query<{ count: number }>(sql`select count(*)::integer as count from usage where ${isOutdated(days)}`);
  return rows[0]?.count ?? 0;
}

/** Deletes at most `limit` rows of usage that are more than `days` days old. Also deletes writers that have written nothing for a day. */
export async function sweepUsage(tx: Db, days: number, limit: number): Promise<number> {
  await tx.query(sql`delete from usage_writers where used_at < now() - interval '1 day'`);
  const { rowCount } = await tx.query(sql`
    delete from usage where (day, key, graph_id, model) in (
      select day, key, graph_id, model from usage where ${isOutdated(days)} limit ${limit} for update skip locked)`);
  return rowCount ?? 0;
}
