import { type Sql, sql } from "../db/sql.ts";

/**
 * Returns a condition that is true if a limit sets a budget for a graph. It is part of the statements that find the assistants of new runs and
 * that claim runs, so that graphs without a budget need no statement of their own. Everything else about limits is in `runs/limits.ts`.
 */
export const hasBudget = (graphId: Sql): Sql => sql`
  exists (select from limits where ${graphId} = any(graphs) and (daily_tokens is not null or daily_dollars is not null))`;
