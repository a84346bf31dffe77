import { type Sql, sql } from "../db/sql.ts";

/**
 * Returns an SQL condition that is true if a limit sets a budget for a graph. Two statements include this condition: the search for the
 * assistant of a new run, and the claim of runs. Graphs without a budget thus need no further statement. All other code about limits is in
 * `runs/limits.ts`.
 */
export const hasBudget = (graphId: Sql): Sql => sql`
  exists (select from limits where ${graphId} = any(graphs) and (daily_tokens is not null or daily_dollars is not null))`;
