import { newId } from "../db/ids.ts";
import { sealableJson } from "../db/sealable.ts";
import { type Db, sql } from "../db/sql.ts";

/**
 * Writes the dead letter of a cron that could not create its run. A cron has at most one such letter, which counts its failures. A cron
 * that fails every minute thus does not fill the list of letters. Call it in the transaction that sets the cron's next time.
 */
export async function noteMissedRun(tx: Db, cronId: string, { name, message }: Error): Promise<void> {
  await tx.query(sql`
    insert into dead_letters (letter_id, kind, cron_id, thread_id, graph_id, assistant_id, error, owner, metadata, auth_user)
    select ${newId()}, 'cron', cron_id, thread_id, (select graph_id from assistants where assistants.assistant_id = crons.assistant_id),
           assistant_id, ${sealableJson("dead_letters.error", { error: name, message })}::json, user_id, metadata, auth_user
      from crons where cron_id = ${cronId}
        on conflict (cron_id) where state in ('dead', 'redriving')
        do update set attempts = dead_letters.attempts + 1, last_at = now(), error = excluded.error`);
}
