import { createHash } from "node:crypto";
import { everything } from "../db/scope.ts";
import { type Db, sql } from "../db/sql.ts";
import { ServiceError } from "../errors.ts";
import { getRun } from "./read.ts";
import type { Run } from "./run.ts";

/** A request with an Idempotency-Key, which its client may send again. */
export interface IdempotentRequest {
  key: string;
  /**
   * The identity of the user who sent the key. The same key from two users counts as two keys. Undefined if the service runs without auth.
   */
  identity: string | undefined;
  /** The content of the request. A later request with the same key but other content is refused. */
  request: unknown;
}

/**
 * Calls `make` to create the runs of a request, but only once for each key. If the same request arrives again, returns the runs that were
 * created before. If two equal requests arrive at the same time, the second one waits until the first one has committed. Call this function
 * in the transaction that creates the runs.
 */
export async function onceForKey(tx: Db, idempotent: IdempotentRequest | undefined, make: () => Promise<Run[]>): Promise<Run[]> {
  if (!idempotent) return make();
  const key = keyOfUser(idempotent);
  const hash = hashOf(idempotent);
  const taken = await tx.query(sql`
    insert into idempotency_keys (key, request_hash) values (${key}, ${hash}) on conflict do nothing returning 1`);
  if (taken.rowCount === 0) return madeBefore(tx, key, hash);
  const runs = await make();
  await tx.query(sql`update idempotency_keys set run_ids = ${runs.map((run) => run.run_id)}::uuid[] where key = ${key}`);
  return runs;
}

/**
 * Returns the runs that an earlier request with this key has created, or undefined if the key is new. Throws if the earlier request had
 * different content.
 */
export async function madeForKey(db: Db, idempotent: IdempotentRequest): Promise<Run[] | undefined> {
  const key = keyOfUser(idempotent);
  const { rowCount } = await db.query(sql`select 1 from idempotency_keys where key = ${key}`);
  return rowCount === 0 ? undefined : madeBefore(db, key, hashOf(idempotent));
}

const hashOf = ({ request }: IdempotentRequest) => digest(JSON.stringify(request));

/** The highest number of characters that the column `key` can store. */
const longestKey = 255;
const digest = (text: string) => createHash("sha256").update(text).digest("base64url");

/**
 * Returns the key under which the request is stored. For a user, it is a hash of the user's identity, a space, and the client's key. Two
 * users can thus send the same key, and no client can send a key with a space. If the result is too long for the column, a hash replaces
 * the client's key, after two spaces in place of one. Keys that fit are not hashed, because the previous release reads them in this form.
 */
function keyOfUser({ key, identity }: IdempotentRequest): string {
  if (identity === undefined) return key;
  const owned = `${digest(identity)} ${key}`;
  return owned.length <= longestKey ? owned : `${digest(identity)}  ${digest(key)}`;
}

async function madeBefore(tx: Db, key: string, hash: string): Promise<Run[]> {
  const { rows } = await tx.query<{ request_hash: string; run_ids: string[] }>(sql`
    select request_hash, run_ids from idempotency_keys where key = ${key}`);
  if (rows[0]?.request_hash !== hash) {
    throw new ServiceError("conflict", "This Idempotency-Key was used for another request.");
  }
  const runs: Run[] = [];
  for (const runId of rows[0].run_ids) runs.push(await getRun(tx, everything, undefined, runId));
  return runs;
}

/** Deletes at most `limit` keys that are older than a day. Returns the number of deleted keys. */
export async function sweepIdempotencyKeys(db: Db, limit: number): Promise<number> {
  const { rowCount } = await db.query(sql`
    delete from idempotency_keys
     where key in (select key from idempotency_keys where ${outdated} order by created_at limit ${limit})`);
  return rowCount ?? 0;
}

/** Counts the keys that are older than a day. */
export async function countOutdatedKeys(db: Db): Promise<number> {
  const { rows } = await db.query<{ count: number }>(sql`select count(*)::integer as count from idempotency_keys where ${outdated}`);
  return rows[0]?.count ?? 0;
}

const outdated = sql`created_at < now() - interval '1 day'`;
