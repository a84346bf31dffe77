import { type Sql, sql } from "../db/sql.ts";

/**
 * Returns an SQL condition that is true if a limit sets a budget for a graph. Two statements that run anyway include it: one that looks up
 * the assistant of a new run, and one that claims runs. If it is false, no further statement about budgets is needed. All other code about
 * limits is in `src/runs/limits.ts`.
 */
export const hasBudget = (graphId: Sql): Sql => sql`
  exists (select from limits where ${graphId} = any(graphs) and (daily_tokens is not null or daily_dollars is not null))`;
