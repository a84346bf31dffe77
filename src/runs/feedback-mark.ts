import type { Fence } from "../db/fence.ts";
import { type Sql, sql } from "../db/sql.ts";

/**
 * Returns a `with` query that records that people may give feedback about a run. The query `marked` is empty if the attempt has lost the
 * right to write. This code is in the folder `runs` because it updates the run's row.
 */
export const markingFeedback = ({ runId, attempt }: Fence): Sql => sql`
  marked as (
    update runs set has_feedback = true where run_id = ${runId} and attempt = ${attempt} and status = 'running'
    returning run_id, thread_id, assistant_id, graph_id)`;
