import { type Db, sql } from "../db/sql.ts";

const mostRepaired = 1_000;

/**
 * Repairs the heads of threads, which triggers maintain (see migration 032). Normally none is wrong, but a waiting thread without a head
 * would never be claimed. Returns how many threads were wrong.
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
