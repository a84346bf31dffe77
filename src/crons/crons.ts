import { isDeepStrictEqual } from "node:util";
import { toAssistantId } from "../assistants/assistants.ts";
import { lengthOf } from "../db/bounded.ts";
import { containing, type Page, paged } from "../db/paging.ts";
import type { Scope } from "../db/scope.ts";
import { sealableJson } from "../db/sealable.ts";
import { type Db, nothing, type Sql, sql } from "../db/sql.ts";
import { ServiceError } from "../errors.ts";
import type { Caller } from "../runs/caller.ts";
import type { RunCheck } from "../runs/create.ts";
import type { RunDefaults } from "../runs/request.ts";
import type { Run } from "../runs/run.ts";
import { submitWithin } from "../runs/submit.ts";
import { type Cron, cronColumns, holdCron, type Json, type NewCron, runOfCron } from "./cron.ts";
import { nextTick } from "./schedule.ts";

/**
 * A change of a cron. An omitted field keeps its value. The given metadata is merged into the cron's metadata. Each given field of the
 * payload replaces the cron's field.
 */
export type CronPatch = Partial<Omit<NewCron, "assistant_id" | "thread_id">>;

export interface CronFilter {
  assistant_id?: string;
  thread_id?: string;
  enabled?: boolean;
  metadata?: Json;
}

export interface CronSearch extends CronFilter {
  limit: number;
  offset: number;
  sort_by?: "cron_id" | "assistant_id" | "thread_id" | "created_at" | "updated_at" | "next_run_date" | "end_time";
  sort_order?: "asc" | "desc";
  /** The size limit of a page of crons, in bytes. */
  bytes?: number;
}

/** The rules for checking a cron's runs before the cron is stored. */
export interface CronRules {
  check: RunCheck;
  retention: RunDefaults;
}

/** A cron before and after a change that is not stored yet. Auth decides whether the caller may make this change. */
export interface PlannedChange {
  before: Cron;
  after: Cron;
  /** True if the cron is enabled after the change, or if the change affects what the cron's runs do. */
  ordersRuns: boolean;
  /** True if the change affects the input, the settings or the metadata of the cron's runs. False if it affects only when they begin. */
  saysWhatRuns: boolean;
}

/** A cron to create, with the id that it will have. */
export type AskedCron = NewCron & { cron_id: string };

/** The highest number of crons in total. The limit is higher than people need, but low enough that every worker can check all crons. */
export const mostCrons = 1_000;
/** The highest number of crons of one user. One user thus cannot use up the total. */
export const mostCronsOfUser = 100;
/** The key of the advisory lock that protects both limits. The number is arbitrary, but no other lock may use it. */
const boundLock = 7_201_916;

const cronNotFound = () => new ServiceError("not_found", "Cron not found");

/**
 * Creates a cron. First creates one of its runs and rolls that run back, so that an invalid cron is refused with the run's error. Call it
 * in a transaction.
 */
export async function createCron(tx: Db, caller: Caller, cron: AskedCron, rules: CronRules): Promise<Cron> {
  const run = await tryRun(tx, caller, cron, rules);
  const { cron_id: cronId, schedule, timezone, end_time, thread_id, enabled, on_run_completed, payload, metadata } = cron;
  const next = nextTick(cron, await databaseTime(tx));
  if (!next) throw new ServiceError("invalid", "end_time: the schedule has no time between now and its end.");
  const { all } = await refuseTooManyOf(tx, caller.user?.identity);
  if (all >= mostCrons) throw new ServiceError("conflict", `There are ${all} crons, which is the most allowed. Delete one first.`);
  const { rows } = await tx.query<Cron>(sql`
    insert into crons (cron_id, assistant_id, thread_id, schedule, timezone, end_time, enabled, on_run_completed, payload, metadata,
                       next_run_date, user_id, auth_user)
    select ${cronId}, ${run.assistant_id}, ${thread_id}, ${schedule}, ${timezone}, ${end_time}::timestamptz, ${enabled},
           ${on_run_completed}, ${sealableJson("crons.payload", payload)}, ${sealableJson("crons.metadata", metadata)},
           ${enabled ? next : null}::timestamptz,
           ${caller.user?.identity ?? null}, ${caller.user && sealableJson("crons.auth_user", caller.user)}::json
    returning ${cronColumns}`);
  return rows[0] as Cron;
}

async function refuseTooManyOf(tx: Db, identity: string | undefined): Promise<{ all: number }> {
  // Without the lock, two concurrent requests could both create the last allowed cron.
  await tx.query(sql`select pg_advisory_xact_lock(${boundLock})`);
  const { rows } = await tx.query<{ all: number; own: number }>(sql`
    select count(*)::integer as all, count(*) filter (where user_id = ${identity ?? null})::integer as own from crons`);
  const { all, own } = rows[0] ?? { all: 0, own: 0 };
  if (own >= mostCronsOfUser)
    throw new ServiceError("conflict", `You have ${own} crons, which is the most allowed per user. Delete one first.`);
  return { all };
}

/**
 * Returns the cron before and after a change, without storing the change. The caller then asks the project's auth handler, which may take
 * long. This function therefore locks no row.
 */
export async function planChange(db: Db, scope: Scope, cronId: string, patch: CronPatch): Promise<PlannedChange> {
  const { rows } = await db.query<Cron>(sql`
    select ${cronColumns} from crons where cron_id = ${cronId} and ${scope.visible(sql`metadata`)}`);
  const [before] = rows;
  if (!before) throw cronNotFound();
  const after = applyPatch(before, patch);
  const saysWhatRuns = Object.keys(patch.payload ?? {}).length > 0 || !isDeepStrictEqual(after.metadata, before.metadata);
  return { before, after, ordersRuns: after.enabled || saysWhatRuns, saysWhatRuns };
}

/**
 * Stores a planned change of a cron. Call it in a transaction.
 * - Creates one run of the changed cron and rolls it back, to find out whether the service accepts such a run from `caller`.
 * - Pass no `caller` if the cron is disabled after the change and its runs stay the same. The change is then not checked.
 * - If the change affects what the cron's runs do, the caller becomes the owner of all later runs. Otherwise, the owner stays the same.
 */
export async function updateCron(
  tx: Db,
  scope: Scope,
  caller: Caller | undefined,
  { before, after, saysWhatRuns }: PlannedChange,
  rules: CronRules,
): Promise<Cron> {
  const { cron_id: cronId } = before;
  const held = await holdCron(tx, scope, cronId, { due: false });
  if (!held) throw cronNotFound();
  if (!isDeepStrictEqual(userFields(held), userFields(before)))
    throw new ServiceError("conflict", "The cron has been changed meanwhile. Try again.");
  if (caller) await tryRun(tx, caller, after, rules);
  const user = caller?.user ?? null;
  if (saysWhatRuns && user && user.identity !== held.user_id) await refuseTooManyOf(tx, user.identity);
  const owner = sql`, user_id = ${user?.identity ?? null}, auth_user = ${user && sealableJson("crons.auth_user", user)}::json`;
  const { rows } = await tx.query<Cron>(sql`
    update crons
       set schedule = ${after.schedule}, timezone = ${after.timezone}, end_time = ${after.end_time}, enabled = ${after.enabled},
           on_run_completed = ${after.on_run_completed}, payload = ${sealableJson("crons.payload", after.payload)},
           metadata = ${sealableJson("crons.metadata", after.metadata)}, next_run_date = ${nextAfterChange(held, after, held.now)}, updated_at = now()
           ${saysWhatRuns ? owner : nothing}
     where cron_id = ${cronId}
    returning ${cronColumns}`);
  return rows[0] as Cron;
}

/**
 * Returns the fields that change only when a user changes the cron. The time of the next run is not among them, because the service changes
 * it whenever the cron creates a run.
 */
function userFields({ schedule, timezone, end_time, enabled, on_run_completed, payload, metadata, user_id }: Cron) {
  return { schedule, timezone, end_time, enabled, on_run_completed, payload, metadata, user_id };
}

/** Returns a cron. Throws a 404 if the caller may not see it. */
export async function getCron(db: Db, scope: Scope, cronId: string): Promise<Cron> {
  const { rows } = await db.query<Cron>(
    sql`select ${cronColumns} from crons where cron_id = ${cronId} and ${scope.visible(sql`metadata`)}`,
  );
  if (!rows[0]) throw cronNotFound();
  return rows[0];
}

export async function deleteCron(db: Db, scope: Scope, cronId: string): Promise<void> {
  const { rowCount } = await db.query(sql`delete from crons where cron_id = ${cronId} and ${scope.visible(sql`metadata`)}`);
  if (rowCount === 0) throw cronNotFound();
}

export async function searchCrons(db: Db, scope: Scope, search: CronSearch): Promise<Page<Cron>> {
  return paged<Cron>(
    db,
    sql`select ${cronColumns} from crons where ${matching(scope, search)}`,
    search,
    {
      cron_id: sql`cron_id`,
      assistant_id: sql`assistant_id`,
      thread_id: sql`thread_id`,
      created_at: sql`created_at`,
      updated_at: sql`updated_at`,
      next_run_date: sql`next_run_date`,
      end_time: sql`end_time`,
    },
    [lengthOf(sql`payload`), lengthOf(sql`metadata`)],
  );
}

export async function countCrons(db: Db, scope: Scope, filter: CronFilter): Promise<number> {
  const { rows } = await db.query<{ count: number }>(sql`
    select count(*)::integer as count from crons where ${matching(scope, filter)}`);
  return rows[0]?.count ?? 0;
}

/**
 * Creates the cron's run and rolls it back, so that the caller learns of an error that every later run would have. A busy thread is not an
 * error, because its open run may have ended when the cron is due.
 */
async function tryRun(tx: Db, caller: Caller, cron: AskedCron, { check, retention }: CronRules): Promise<Run> {
  await tx.query(sql`savepoint before_run`);
  const run = await submitWithin(tx, { caller, run: { ...runOfCron(cron, retention), multitaskStrategy: "enqueue" }, check });
  await tx.query(sql`rollback to savepoint before_run`);
  return run;
}

function applyPatch(before: Cron, patch: CronPatch): Cron {
  return {
    ...before,
    schedule: patch.schedule ?? before.schedule,
    timezone: patch.timezone === undefined ? before.timezone : patch.timezone,
    end_time: patch.end_time === undefined ? before.end_time : patch.end_time,
    enabled: patch.enabled ?? before.enabled,
    on_run_completed: before.thread_id === null ? (patch.on_run_completed ?? before.on_run_completed) : "keep",
    payload: { ...before.payload, ...patch.payload },
    metadata: { ...before.metadata, ...patch.metadata },
  };
}

/**
 * Returns the time of the cron's next run after a change. If the schedule and time zone stay the same, keeps the planned time, so that a
 * run that is already due is not lost. Null if no run follows.
 */
function nextAfterChange(before: Cron, after: Cron, now: Date): Date | null {
  if (!after.enabled) return null;
  const sameTimes = after.schedule === before.schedule && after.timezone === before.timezone;
  const planned = sameTimes ? before.next_run_date : null;
  if (planned === null) return nextTick(after, now);
  return after.end_time === null || planned <= after.end_time ? planned : null;
}

async function databaseTime(tx: Db): Promise<Date> {
  const { rows } = await tx.query<{ now: Date }>(sql`select clock_timestamp() as now`);
  return rows[0]?.now ?? new Date();
}

function matching(scope: Scope, { assistant_id, thread_id, enabled, metadata }: CronFilter): Sql {
  return sql`${scope.visible(sql`metadata`)}
    ${assistant_id === undefined ? nothing : sql`and assistant_id = ${toAssistantId(assistant_id)}`}
    ${thread_id === undefined ? nothing : sql`and thread_id = ${thread_id}`}
    ${enabled === undefined ? nothing : sql`and enabled = ${enabled}`}
    and ${containing(sql`metadata`, metadata)}`;
}
