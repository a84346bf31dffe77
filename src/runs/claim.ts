import type { User } from "../auth/user.ts";
import type { Fence } from "../db/fence.ts";
import { sealable } from "../db/sealable.ts";
import { type Db, nothing, prepared, type Sql, sql } from "../db/sql.ts";
import { hasBudget } from "../usage/budgets.ts";
import { withLimits, withoutLimits } from "./limit-slots.ts";
import { placeInQueue } from "./queue.ts";
import type { CancelAction, Json, RunKwargs } from "./run.ts";
import { withRecord } from "./timeline.ts";

/** A claimed run: the right to write for the run, and all data that the attempt needs. */
export interface Claim extends Fence {
  threadId: string;
  assistantId: string;
  /**
   * The cancellation that was requested before this attempt began. If it is not null, the worker cancels the run and does not execute the
   * graph.
   */
  cancel: CancelAction | null;
  metadata: Json;
  kwargs: RunKwargs;
  /** The user who owns the run. Null if the service runs without auth. */
  user: User | null;
  /** The number of workers that have died one after another while they held the run, although the run stored no checkpoint in between. */
  crashes: number;
  priority: number;
  /** The time of the attempt's claim, in milliseconds since 1970 by the database's clock. */
  claimedAt: number;
  /** The number of seconds since the run was created. */
  waitedSeconds: number;
  /** The number of seconds since the run became due. */
  dueSeconds: number;
  /** The number of seconds since the run was claimed for the first time. */
  ranSeconds: number;
  /** True if the run's thread has no checkpoint yet, so that the attempt need not look for one. */
  isFresh: boolean;
  /**
   * The trace spans to which the attempt's span links. `traceparent` is the span of the request, and `attemptSpan` that of the previous
   * attempt. Null if there is no such span.
   */
  traceparent: string | null;
  attemptSpan: string | null;
  /** The names of the limits in which the run occupies a slot while it is running. Null if no limit counts the run. */
  holds: string[] | null;
  queueKey: string | null;
  /** True if a limit sets a budget for the run's graph. */
  isBudgeted: boolean;
}

export interface ClaimRequest {
  /** The ids of the graphs that this worker has loaded. */
  graphs: string[];
  slots: number;
  /**
   * The number of suspect runs that this claim may include. A run is suspect if it would end with an error after one more crash of its
   * worker.
   */
  suspects: 0 | 1;
  /** The number of crashes after which a run is not tried again. */
  maxCrashes: number;
  /** True to claim runs of all graphs and obey the limits. False to leave out the graphs with limits, which is cheaper. */
  isLimited: boolean;
  /**
   * True if this process has no encryption key. The process then claims nothing as soon as another process encrypts values. Undefined means
   * false.
   */
  isKeyless?: boolean;
}

/** The result of a claim. */
export interface Claimed {
  claims: Claim[];
  /**
   * The number of runs that the claim has parked, which means that later claims skip them. A run is parked if its queue key has no free
   * slot in a limit. If the number is not 0, claim again immediately, because runs behind them in the queue may be due.
   */
  parked: number;
  /** True if the claim has left out runs because another process had locked the rows of their limits. */
  contended: boolean;
  /** True if a limit counts the runs of one of the worker's graphs. The next claim must then obey the limits. */
  limited: boolean;
}

/**
 * Returns the highest number of queued runs that a claim looks at, as SQL and as a part of the statement's name. The number is a constant
 * in the statement, and the ids of the graphs are hidden in a subquery. Only then does Postgres keep one generic plan for this long
 * statement. Otherwise, it would plan the statement at each claim, which takes longer than the claim itself.
 */
function candidates(wanted: number): [most: Sql, name: string] {
  if (wanted <= 64) return [sql`64`, "64"];
  return wanted <= 256 ? [sql`256`, "256"] : [sql`2048`, "2048"];
}

/**
 * An SQL condition that checks a run again after its row was locked. It is true if the run is still the next run of its thread, and thus
 * still pending. The `coalesce` keeps Postgres from using the index of pending runs. That index would be slow, because it still contains
 * the runs that were claimed since the table's last vacuum.
 */
const isStillHead = sql`coalesce(runs.head, false)`;

/** The columns that a claim reads of each candidate. */
const columns = sql`run_id, thread_id, ${placeInQueue} as place, seq, graph_id, queue_key, cancel`;

/**
 * Returns a query for the first runs in the queue. It combines three groups: runs with a rank, runs without a rank (delayed runs), and
 * cancelled runs. `suspect` is an SQL condition that is true for runs that would end after one more crash. Runs with a rank are always due,
 * so their due time is not checked. With that check, Postgres might choose a slower index.
 */
function candidatesOf(suspect: Sql, most: Sql, isKeyless: boolean): Sql {
  const readable = isKeyless ? sql`not exists (select from encryption_sample) and` : nothing;
  const claimable = sql`not exists (select from halts) and ${readable} (not (${suspect}) or run_id in (select run_id from suspects))`;
  return sql`
      select ready.* from open_graphs wanted
       cross join lateral (
         select ${columns} from runs where head and not parked and rank is not null and graph_id = wanted.graph_id and ${claimable}
          order by rank, seq limit ${most}) ready
       union
      (select ${columns} from runs where head and rank is null and run_at <= now() and graph_id in (select graph_id from open_graphs) and ${claimable}
        order by run_at, seq limit ${most})
       union
      (select ${columns} from runs where head and cancel is not null and run_at <= now() order by run_at, seq limit ${most})
       order by place, seq limit ${most}`;
}

/** The number of additional runs that a claim reads. They replace runs whose threads other workers have locked. */
const spare = 32;

/**
 * Claims up to `slots` due runs of the worker's graphs, in the order of the queue (see `queue.ts`).
 *
 * For each graph, the query reads only the next run of each thread, which the column `head` marks. Long queues thus cost nothing, and
 * neither do the runs of graphs that this worker lacks. Any worker may claim a cancelled run, because cancelling needs no graph.
 *
 * A run is suspect if it would end with an error after one more crash of its worker. When a worker dies, each run on it counts a crash,
 * although only one of them may be the cause. A worker therefore executes at most one suspect run, so that no other suspect run ends
 * because of that one.
 *
 * The claim locks the threads of the runs, and skips threads that are locked. Two checks prevent a second claim of the same run: the
 * condition on the locked row, and a unique index on running runs. The start time is `clock_timestamp()` and not `now()`, because the
 * thread's previous run may have ended after this statement began. The run copies `event_base`, its first event number, from its thread.
 */
export async function claimRuns(
  db: Db,
  workerId: string,
  { graphs, slots, suspects, maxCrashes, isLimited, isKeyless = false }: ClaimRequest,
): Promise<Claimed> {
  const obeying = isLimited ? withLimits : withoutLimits;
  const suspect = sql`crashes > 0 and crashes >= ${maxCrashes - 1}`;
  const [most, name] = candidates(slots + spare);
  const statement = sql`
    with wanted (graph_id) as materialized (select unnest((select ${graphs}::text[]))),
    suspects as (
      select run_id from runs
       where head and status = 'pending' and run_at <= now() and graph_id in (select graph_id from wanted) and ${suspect} and ${suspects} > 0
       order by run_at, seq limit 1),
    ${obeying.before},
    first as materialized (${candidatesOf(suspect, most, isKeyless)}),
    ${obeying.between}
    due as (
      select first.run_id, t.event_base, ${obeying.holds} as holds
        from first join threads t using (thread_id) ${obeying.joined}
       where ${obeying.admitted}
       order by first.place, first.seq limit ${slots}
         for no key update of t skip locked),
    claimed as (
      update runs
         set holds = due.holds, status = 'running', head = false, worker_id = ${workerId}, attempt = attempt + 1,
           started_at = coalesce(started_at, clock_timestamp()), claimed_at = clock_timestamp(), claimed_attempt = attempt + 1,
           updated_at = now(), event_base = coalesce(runs.event_base, due.event_base)
      from due
     where runs.run_id = due.run_id and ${isStillHead}
    returning runs.run_id as "runId", thread_id as "threadId", assistant_id as "assistantId", attempt, crashes, priority, cancel, metadata, kwargs, auth_user as "user",
              traceparent, attempt_span as "attemptSpan",
              extract(epoch from claimed_at)::double precision * 1000 as "claimedAt",
              extract(epoch from now() - created_at)::double precision as "waitedSeconds",
              extract(epoch from now() - run_at)::double precision as "dueSeconds",
              extract(epoch from clock_timestamp() - started_at)::double precision as "ranSeconds",
              not exists (select from checkpoints where checkpoints.thread_id = runs.thread_id::text) as "isFresh",
              runs.holds, runs.queue_key as "queueKey", ${hasBudget(sql`runs.graph_id`)} as "isBudgeted")
    ${obeying.after}
    select claimed.*, ${obeying.facts} from (values (true), (false)) parts (has_run) left join claimed on has_run`;
  const asPrepared = prepared(`claim ${isLimited ? "limited" : "runs"}${isKeyless ? " keyless" : ""} ${name}`, statement);
  // A claimed run that cannot be decrypted is left out and not started, and it soon returns to the queue. The other runs are started. One
  // row of the result contains no run, so that `parked`, `contended` and `limited` can be read even if no run can be decrypted.
  const { rows } = await db.query<Claim & Omit<Claimed, "claims">>({ ...asPrepared, skipsUnreadable: true });
  const { parked = 0, contended = false, limited = false } = rows[0] ?? {};
  return { claims: rows.filter(({ runId }) => runId !== null), parked, contended, limited };
}

/**
 * Returns a run to the queue for another attempt. `record` is the JSON record of this attempt for the run's timeline. Returns false if the
 * attempt had already lost the right to write. Locks the thread before the run, like every other statement, to avoid deadlocks.
 */
export async function releaseRun(db: Db, { runId, attempt }: Fence, record?: string): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    with thread as (
      select thread_id from threads where thread_id = (select thread_id from runs where run_id = ${runId}) for no key update)
    update runs set status = 'pending', worker_id = null, updated_at = now(), timeline = ${withRecord(sql`${sealable("runs.timeline", record)}::text`)}
      from thread
     where runs.thread_id = thread.thread_id and run_id = ${runId} and attempt = ${attempt} and status = 'running'`);
  return rowCount !== 0;
}

/** A run that a worker holds according to the database. `cancel` is the requested cancellation, or null. */
export interface HeldRun extends Fence {
  cancel: CancelAction | null;
}
