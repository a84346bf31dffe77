import { type Fence, fenced } from "../db/fence.ts";
import { sealable } from "../db/sealable.ts";
import { type Db, nothing, sql } from "../db/sql.ts";

export interface EntryName {
  namespace: string;
  key: string;
}

export interface Entry extends EntryName {
  type: string;
  value: Uint8Array;
}

/** Returns the entries with these names that exist and have not expired. */
export async function findEntries(db: Db, scope: string, names: EntryName[]): Promise<Entry[]> {
  const { rows } = await db.query<Entry>(sql`
    select namespace, key, type, value
      from cache_entries
      join unnest(${names.map(({ namespace }) => namespace)}::text[], ${names.map(({ key }) => key)}::text[]) as wanted (namespace, key)
     using (namespace, key)
     where scope = ${scope} and expires_at > now()`);
  return rows;
}

/** Stores a result for `seconds` seconds. Returns false if the attempt has lost the right to write for its run. */
export async function storeEntry(db: Db, fence: Fence, scope: string, entry: Entry, seconds: number): Promise<boolean> {
  const { namespace, key, type, value } = entry;
  const { rowCount } = await db.query(sql`
    with ${fenced(fence)}
    insert into cache_entries (scope, namespace, key, type, value, expires_at)
    select ${scope}, ${namespace}, ${key}, ${type}, ${sealable("cache_entries.value", value)}::bytea, now() + ${seconds} * interval '1 second'
      from fence
        on conflict (scope, namespace, key)
        do update set type = excluded.type, value = excluded.value, expires_at = excluded.expires_at`);
  return rowCount !== 0;
}

/** Deletes the entries of one version of a graph (`scope`): all of them, or only those in the given namespaces. */
export async function clearEntries(db: Db, scope: string, namespaces: string[] | undefined): Promise<void> {
  const which = namespaces ? sql`and namespace = any(${namespaces}::text[])` : nothing;
  await db.query(sql`delete from cache_entries where scope = ${scope} ${which}`);
}

/** Deletes up to `limit` expired entries, and returns the number of deleted entries. Skips locked rows, which a later sweep deletes. */
export async function sweepEntries(db: Db, limit: number): Promise<number> {
  const { rowCount } = await db.query(sql`
    delete from cache_entries
     where (scope, namespace, key) in (select scope, namespace, key
                                         from cache_entries
                                        where ${expired}
                                        order by expires_at limit ${limit}
                                          for update skip locked)`);
  return rowCount ?? 0;
}

/** Returns the number of expired entries that are still stored. */
export async function countExpiredEntries(db: Db): Promise<number> {
  const { rows } = await db.query<{ count: number }>(sql`select count(*)::integer as count from cache_entries where ${expired}`);
  return rows[0]?.count ?? 0;
}

const expired = sql`expires_at <= now()`;
