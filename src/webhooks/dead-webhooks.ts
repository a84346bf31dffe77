import { lengthOf } from "../db/bounded.ts";
import { type Page, paged } from "../db/paging.ts";
import type { Scope } from "../db/scope.ts";
import { type Db, nothing, type Sql, sql } from "../db/sql.ts";

/** A delivery that has failed for good. */
export interface DeadWebhook {
  run_id: string;
  thread_id: string;
  url: string;
  attempts: number;
  error: string;
  created_at: Date;
  died_at: Date;
}

/**
 * Returns an SQL condition that is true for the webhooks in the scope. The condition reads the metadata that was stored with the webhook,
 * because the thread may have been deleted.
 */
const visibleBy = (scope: Scope): Sql => scope.visible(sql`coalesce(metadata, (searchable(run) -> 'metadata')::json, '{}')`);

/** An SQL condition that is true for a webhook that has failed for good and was not discarded. */
const isDead = sql`status = 'dead' and discarded_at is null`;

/** Returns the dead webhooks, the one that failed last first. */
export async function listDeadWebhooks(db: Db, scope: Scope, page: { limit: number; offset: number }): Promise<Page<DeadWebhook>> {
  const dead = sql`
    select run_id, thread_id, url, attempts, error, created_at, settled_at as died_at from webhooks
     where ${isDead} and ${visibleBy(scope)}`;
  return paged<DeadWebhook>(
    db,
    dead,
    { ...page, sort_by: "died_at", sort_order: "desc" },
    { created_at: sql`created_at`, died_at: sql`died_at` },
    [lengthOf(sql`error`)],
  );
}

/** Selects dead webhooks to redrive or to discard. If no field is given, selects all of them. */
export interface ChosenWebhooks {
  runIds?: string[] | undefined;
  graph?: string | undefined;
  /** Selects webhooks that failed for good at this time or later. Undefined selects all of them. */
  since?: Date | undefined;
}

const chosen = (scope: Scope, { runIds, graph, since }: ChosenWebhooks): Sql => sql`
  ${isDead} and ${visibleBy(scope)} and (${runIds ?? null}::uuid[] is null or run_id = any(${runIds ?? null}::uuid[]))
  ${graph === undefined ? nothing : sql`and searchable(metadata) ->> 'graph_id' = ${graph}`}
  ${since === undefined ? nothing : sql`and settled_at >= ${since}`}`;

/** Makes dead deliveries due now, and lets them be tried again for one more day. Returns the ids of their runs. */
export async function redriveWebhooks(db: Db, scope: Scope, which: ChosenWebhooks = {}, by: string | null = null): Promise<string[]> {
  const { rows } = await db.query<{ runId: string }>(sql`
    update webhooks set status = 'pending', settled_at = null, attempts = 0, due_at = now(), give_up_at = now() + interval '1 day',
                        redriven_at = now(), handled_by = ${by}
     where ${chosen(scope, which)}
    returning run_id as "runId"`);
  return rows.map((row) => row.runId);
}

/** Discards dead deliveries, so that they are no longer listed or sent again. Returns the ids of their runs. */
export async function discardWebhooks(db: Db, scope: Scope, which: ChosenWebhooks, by: string | null): Promise<string[]> {
  const { rows } = await db.query<{ runId: string }>(sql`
    update webhooks set discarded_at = now(), handled_by = ${by} where ${chosen(scope, which)} returning run_id as "runId"`);
  return rows.map((row) => row.runId);
}

/** Returns the document that a webhook sends. Returns null if the webhook was delivered, because its document is then deleted. */
export async function readWebhookPayload(db: Db, runId: string): Promise<unknown> {
  const { rows } = await db.query<{ run: unknown }>(sql`select run from webhooks where run_id = ${runId}`);
  return rows[0]?.run ?? null;
}
