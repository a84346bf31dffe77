import { holdAssistant } from "../assistants/assistants.ts";
import type { User } from "../auth/user.ts";
import { everything, type Scope } from "../db/scope.ts";
import { type Db, nothing, sql } from "../db/sql.ts";
import type { NewRun } from "../runs/create.ts";
import { type EventRetention, fillRequest, type RunRequest } from "../runs/request.ts";
import { lockThread } from "../threads/threads.ts";
import type { Schedule } from "./schedule.ts";

export type Json = Record<string, unknown>;

/** What each run is asked for with; the assistant and the metadata are the cron's own. */
export type CronPayload = Omit<RunRequest, "assistant_id" | "metadata">;

export interface NewCron extends Schedule {
  assistant_id: string;
  /** Null: each run gets a thread of its own, and `on_run_completed` says whether that stays. */
  thread_id: string | null;
  enabled: boolean;
  on_run_completed: "delete" | "keep";
  payload: CronPayload;
  metadata: Json;
}

/** A schedule by which runs are made, as the API shows it. */
export interface Cron extends NewCron {
  cron_id: string;
  user_id: string | null;
  next_run_date: Date | null;
  created_at: Date;
  updated_at: Date;
}

export const cronColumns = sql`cron_id, assistant_id, thread_id, schedule, timezone, end_time, enabled, on_run_completed, payload, metadata,
  user_id, next_run_date, created_at, updated_at`;

/** The run that a tick makes. */
export function runOfCron(cron: NewCron & { cron_id: string }, retention: EventRetention): NewRun {
  const { cron_id, assistant_id, thread_id, on_run_completed, payload, metadata } = cron;
  const request = { ...payload, assistant_id, metadata: { ...metadata, cron_id }, on_completion: on_run_completed };
  return fillRequest(request, thread_id ?? undefined, retention);
}

/** A cron that nobody else changes until the transaction ends, whose its runs are, and what time it is. */
export type HeldCron = Cron & { now: Date; user: User | null };

/**
 * Holds a cron, after what it belongs to: in that order a deletion comes by as well, so that nobody waits in a circle. With `due` only
 * one whose time has come and that no other process is at.
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
