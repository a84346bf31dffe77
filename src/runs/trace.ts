import type { Fence } from "../db/fence.ts";
import { type Db, sql } from "../db/sql.ts";

/** Notes the span of an attempt, for the next one to point to. An attempt that has lost its right notes nothing. */
export async function noteAttemptSpan(db: Db, { runId, attempt }: Fence, span: string): Promise<void> {
  await db.query(sql`
    update runs set attempt_span = ${span} where run_id = ${runId} and attempt = ${attempt} and status = 'running'`);
}
