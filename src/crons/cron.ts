import { holdAssistant } from "../assistants/assistants.ts";
import type { User } from "../auth/user.ts";
import { everything, type Scope } from "../db/scope.ts";
import { type Db, nothing, sql } from "../db/sql.ts";
import type { NewRun } from "../runs/create.ts";
import { fillRequest, type RunDefaults, type RunRequest } from "../runs/request.ts";
import { lockThread } from "../threads/threads.ts";
import type { Schedule } from "./schedule.ts";

export type Json = Record<string, unknown>;

/**
 * The request from which each run of a cron is created. The request has no assistant and no metadata, because these are fields of the cron.
 */
export type CronPayload = Omit<RunRequest, "assistant_id" | "metadata">;

export interface NewCron extends Schedule {
  assistant_id: string;
  /**
   * The thread on which the cron's runs execute. If null, each run gets a new thread, and `on_run_completed` decides whether that thread is
   * kept.
   */
  thread_id: string | null;
  enabled: boolean;
  on_run_completed: "delete" | "keep";
  payload: CronPayload;
  metadata: Json;
}

/** A cron in the API's form. A cron creates runs at the times of a schedule. */
export interface Cron extends NewCron {
  cron_id: string;
  user_id: string | null;
  next_run_date: Date | null;
  created_at: Date;
  updated_at: Date;
}

export const cronColumns = sql`cron_id, assistant_id, thread_id, schedule, timezone, end_time, enabled, on_run_completed, payload, metadata,
  user_id, next_run_date, created_at, updated_at`;

/** Returns the run that a cron creates each time it is due. */
export function runOfCron(cron: NewCron & { cron_id: string }, retention: RunDefaults): NewRun {
  const { cron_id, assistant_id, thread_id, on_run_completed, payload, metadata } = cron;
  const request = { ...payload, assistant_id, metadata: { ...metadata, cron_id }, on_completion: on_run_completed };
  return fillRequest(request, thread_id ?? undefined, retention);
}

/**
 * A cron whose row this transaction has locked. `user` is the owner of the cron's runs, and `now` is the database's time. No other
 * transaction can change the cron until this transaction ends.
 */
export type HeldCron = Cron & { now: Date; user: User | null };

/**
 * Locks the cron's thread, its assistant and then the cron. Deletions lock in the same order, so that no deadlock can arise. With `due`,
 * locks the cron only if it is due and no other process has locked it.
 */
export async function holdCron(tx: Db, scope: Scope, cronId: string, which: { due: boolean }): Promise<HeldCron | undefined> {
  const { rows: seen } = await tx.query<Pick<Cron, "thread_id" | "assistant_id">>(sql`
    select thread_id, assistant_id from crons where cron_id = ${cronId} and ${scope.visible(sql`metadata`)}`);
  if (!seen[0]) return undefined;
  if (seen[0].thread_id) await lockThread(tx, everything, seen[0].thread_id);
  await holdAssistant(tx, seen[0].assistant_id);
  const { rows } = await tx.query<HeldCron>(sql`
    select ${cronColumns}, auth_user as "user", clock_timestamp() as now from crons
     where cron_id = ${cronId} and ${scope.visible(sql`metadata`)} ${which.due ? sql`and next_run_date <= clock_timestamp()` : nothing}
       for update ${which.due ? sql`skip locked` : nothing}`);
  return rows[0];
}
