import { type Db, sql } from "../db/sql.ts";

const mostRepaired = 1_000;

/**
 * Repairs the column `head`, which marks the next pending run of each thread. Triggers keep this mark correct, so there is normally nothing
 * to repair. A thread with pending runs but without a mark would wait forever. Returns the number of threads with a wrong mark.
 */
export async function repairHeads(db: Db): Promise<number> {
  const { rowCount } = await db.query(sql`
    with wrong as (
      select thread_id from runs r
       where status = 'pending' and not head
         and not exists (select from runs busy where busy.thread_id = r.thread_id and busy.status = 'running')
         and not exists (select from runs first
                          where first.thread_id = r.thread_id and first.head and (first.run_at, first.seq) < (r.run_at, r.seq))
       union
      select thread_id from runs r
       where head and exists (select from runs busy where busy.thread_id = r.thread_id and busy.status = 'running')
       order by thread_id limit ${mostRepaired})
    select settle_head(thread_id) from wrong`);
  return rowCount ?? 0;
}
