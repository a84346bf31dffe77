import { sealable } from "../db/sealable.ts";
import { type Db, sql } from "../db/sql.ts";
import { hostOf } from "./webhook-rules.ts";
import type { Push } from "./webhooks.ts";

/** The address to which a client wants the push notifications of a task. */
export interface PushConfig extends Pick<Push, "version" | "token" | "scheme" | "credentials"> {
  taskId: string;
  configId: string;
  url: string;
}

/** The maximum number of configs of a task. When a run of the task ends, one notification is sent for each config. */
export const mostConfigs = 10;

/** Stores a config. Replaces a config of the task with the same id. Returns false if the task already has the maximum number of configs. */
export async function storePushConfig(db: Db, config: PushConfig): Promise<boolean> {
  const { taskId, configId, url, token, scheme, credentials, version } = config;
  const { rowCount } = await db.query(sql`
    insert into push_configs (task_id, config_id, url, host, token, scheme, credentials, version)
    select ${taskId}::uuid, ${configId}, ${url}, ${hostOf(url)}, ${sealable("push_configs.token", token)}, ${scheme},
           ${sealable("push_configs.credentials", credentials)}, ${version}
     where (select count(*) from push_configs where task_id = ${taskId} and config_id <> ${configId}) < ${mostConfigs}
        on conflict (task_id, config_id)
        do update set url = excluded.url, host = excluded.host, token = excluded.token, scheme = excluded.scheme,
                      credentials = excluded.credentials, version = excluded.version`);
  return rowCount === 1;
}

/** Returns the configs of a task, the oldest first. If `configId` is given, returns only the config with this id. */
export async function findPushConfigs(db: Db, taskId: string, configId?: string): Promise<PushConfig[]> {
  const { rows } = await db.query<PushConfig>(sql`
    select task_id as "taskId", config_id as "configId", url, token, scheme, credentials, version from push_configs
     where task_id = ${taskId} and (${configId ?? null}::text is null or config_id = ${configId ?? null})
     order by created_at, config_id`);
  return rows;
}

/** Deletes a config. Does nothing if the task has no such config. */
export async function deletePushConfig(db: Db, taskId: string, configId: string): Promise<void> {
  await db.query(sql`delete from push_configs where task_id = ${taskId} and config_id = ${configId}`);
}
