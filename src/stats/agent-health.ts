import { sealableJson } from "../db/sealable.ts";
import { type Db, nothing, sql } from "../db/sql.ts";
import { keptDays } from "./hours.ts";

/** The outcomes of the last calls of one agent in one graph. */
export interface AgentOutcomes {
  graphId: string;
  agent: string;
  /** One letter for each call, the latest call first: `s` for a success, and `f` for a failure. */
  outcomes: string;
  lastError: string | null;
}

export type ReadOutcomes = AgentOutcomes & { lastErrorAt: Date | null };

export type Health = "healthy" | "degraded" | "failing";

/** The number of an agent's last calls that determine its health. */
export const mostOutcomes = 20;

/** Returns an agent's health. An agent is failing if more than 50 % of its last calls failed, and degraded if more than 10 % failed. */
export function healthOf(outcomes: string): Health {
  const failures = outcomes.replaceAll("s", "").length;
  if (failures * 2 > outcomes.length) return "failing";
  return failures * 10 > outcomes.length ? "degraded" : "healthy";
}

/**
 * Adds the outcomes of new calls, and keeps the last 20 outcomes of each agent. Locks the rows in the order of their key to prevent
 * deadlocks.
 */
export async function addOutcomes(db: Db, given: AgentOutcomes[]): Promise<void> {
  await db.query(sql`
    insert into agent_health as known (graph_id, agent, outcomes, last_error, last_error_at)
    select "graphId", agent, left(outcomes, ${mostOutcomes}), "lastError", case when "lastError" is not null then now() end
      from json_to_recordset(${sealableJson("agent_health.last_error", given)}::json) as given ("graphId" text, agent text, outcomes text, "lastError" text)
     order by "graphId", agent
        on conflict (graph_id, agent) do update
       set outcomes = left(excluded.outcomes || known.outcomes, ${mostOutcomes}), called_at = now(),
           last_error = coalesce(excluded.last_error, known.last_error), last_error_at = coalesce(excluded.last_error_at, known.last_error_at)`);
}

/**
 * Returns the last outcomes of the agents of a graph, or of all graphs. Returns at most 10,000 agents, the most recently called agents
 * first.
 */
export async function readOutcomes(db: Db, graph?: string): Promise<ReadOutcomes[]> {
  const { rows } = await db.query<ReadOutcomes>(sql`
    select graph_id as "graphId", agent, outcomes, last_error as "lastError", last_error_at as "lastErrorAt"
      from agent_health ${graph === undefined ? nothing : sql`where graph_id = ${graph}`} order by called_at desc limit 10000`);
  return rows;
}

/** Deletes up to `limit` agents whose last call is more than `keptDays` days ago. Returns the number of deleted agents. */
export async function sweepOutcomes(db: Db, limit: number): Promise<number> {
  const { rowCount } = await db.query(sql`
    delete from agent_health where (graph_id, agent) in (select graph_id, agent from agent_health where ${isOld} order by called_at limit ${limit})`);
  return rowCount ?? 0;
}

export async function countOldOutcomes(db: Db): Promise<number> {
  const { rows } = await db.query<{ count: number }>(sql`select count(*)::integer as count from agent_health where ${isOld}`);
  return rows[0]?.count ?? 0;
}

const isOld = sql`called_at < now() - make_interval(days => ${keptDays})`;
