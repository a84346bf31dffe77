import { type Db, type Sql, sql } from "../db/sql.ts";
import { ServiceError } from "../errors.ts";
import { usedToday } from "./usage.ts";

/**
 * Returns a condition that is true if a limit sets a budget for a graph. It is part of the queries that find the assistants of new runs, so
 * that graphs without a budget need no query of their own.
 */
export const hasBudget = (graphId: Sql): Sql => sql`
  exists (select from limits where ${graphId} = any(graphs) and (daily_tokens is not null or daily_dollars is not null))`;

/** Refuses a new run if its key has used up a budget of its graph. */
export async function refuseSpentBudget(db: Db, key: string | null, graphId: string): Promise<void> {
  const spent = await findSpentBudget(db, key, graphId);
  if (spent !== undefined) throw new ServiceError("budget_spent", spent);
}

/**
 * Returns a sentence about the first budget of a graph that a key has used up today, or undefined. The key is null for runs without a
 * key, which share one budget. A limit in shadow only counts them.
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
