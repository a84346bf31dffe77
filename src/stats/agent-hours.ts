import { type Db, nothing, type Sql, sql } from "../db/sql.ts";
import type { Counts } from "./histogram.ts";
import { hourNow, keptDays } from "./hours.ts";

/** Sums over the calls of one agent in one graph during a period. */
export interface AgentCounts {
  graphId: string;
  agent: string;
  calls: number;
  failures: number;
  elapsedMs: number;
  waits: number;
  waitedMs: number;
  inputTokens: number;
  outputTokens: number;
  retries: number;
  recoveries: number;
  stalls: number;
  latency: Counts;
}

const counted = sql`calls, failures, elapsed_ms, waits, waited_ms, input_tokens, output_tokens, retries, recoveries, stalls, latency`;

/**
 * Adds counts to the sums of the current hour, in one statement. Locks the rows in the order of their key, so that two workers that store
 * at the same time cannot cause a deadlock.
 */
export async function addAgentHours(db: Db, counts: AgentCounts[]): Promise<void> {
  await db.query(sql`
    insert into agent_hours as known (hour, graph_id, agent, ${counted})
    select ${hourNow}, "graphId", agent, calls, failures, "elapsedMs", waits, "waitedMs", "inputTokens", "outputTokens", retries, recoveries, stalls,
           latency
      from json_to_recordset(${JSON.stringify(counts)}::json) as given ("graphId" text, agent text, calls bigint, failures bigint,
           "elapsedMs" double precision, waits bigint, "waitedMs" double precision, "inputTokens" bigint, "outputTokens" bigint,
           retries bigint, recoveries bigint, stalls bigint, latency bigint[])
     order by "graphId", agent
        on conflict (hour, graph_id, agent) do update
       set calls = known.calls + excluded.calls, failures = known.failures + excluded.failures, elapsed_ms = known.elapsed_ms + excluded.elapsed_ms,
           waits = known.waits + excluded.waits, waited_ms = known.waited_ms + excluded.waited_ms,
           input_tokens = known.input_tokens + excluded.input_tokens, output_tokens = known.output_tokens + excluded.output_tokens,
           retries = known.retries + excluded.retries, recoveries = known.recoveries + excluded.recoveries,
           stalls = known.stalls + excluded.stalls, latency = add_counts(known.latency, excluded.latency)`);
}

/** The statistics to read. An undefined `graph` means all graphs. */
export interface StatsFilter {
  graph?: string | undefined;
  /** A time in the first hour to read. The default is 24 hours ago. */
  since?: Date | undefined;
}

/** Returns the SQL condition that selects the rows of a filter's hours and graph. */
export const chosen = ({ graph, since }: StatsFilter): Sql => sql`
  hour >= ${firstHour(since)} ${graph === undefined ? nothing : sql`and graph_id = ${graph}`}`;

export const firstHour = (since: Date | undefined): Sql =>
  since ? sql`date_trunc('hour', ${since}::timestamptz, 'UTC')` : sql`date_trunc('hour', now() - interval '24 hours', 'UTC')`;

const mostAgents = 1_000;

/** Returns the sums of each agent, the agent with the most calls first. Returns at most 1,000 agents. */
export async function readAgentHours(db: Db, filter: StatsFilter): Promise<AgentCounts[]> {
  const { rows } = await db.query<AgentCounts>(sql`
    select graph_id as "graphId", agent, sum(calls)::double precision as calls, sum(failures)::double precision as failures, sum(elapsed_ms)::double precision as "elapsedMs",
           sum(waits)::double precision as waits, sum(waited_ms)::double precision as "waitedMs", sum(input_tokens)::double precision as "inputTokens",
           sum(output_tokens)::double precision as "outputTokens", sum(retries)::double precision as retries, sum(recoveries)::double precision as recoveries,
           sum(stalls)::double precision as stalls, sum_counts(latency)::double precision[] as latency
      from agent_hours where ${chosen(filter)}
     group by graph_id, agent order by calls desc, graph_id, agent limit ${mostAgents}`);
  return rows;
}

/** Deletes up to `limit` rows whose hour is more than `keptDays` days ago. Returns the number of deleted rows. */
export async function sweepAgentHours(db: Db, limit: number): Promise<number> {
  const { rowCount } = await db.query(sql`
    delete from agent_hours where (hour, graph_id, agent) in (
      select hour, graph_id, agent from agent_hours where ${isOld} order by hour limit ${limit})`);
  return rowCount ?? 0;
}

export async function countOldAgentHours(db: Db): Promise<number> {
  const { rows } = await db.query<{ count: number }>(sql`select count(*)::integer as count from agent_hours where ${isOld}`);
  return rows[0]?.count ?? 0;
}

const isOld = sql`hour < now() - make_interval(days => ${keptDays})`;
