import { type Db, sql } from "../db/sql.ts";
import { answersById } from "../threads/questions.ts";
import type { RunError } from "./end.ts";
import { numbersPerEvent } from "./event-base.ts";
import type { RunKwargs, RunStatus, StreamMode } from "./run.ts";

/**
 * A run whose events the subscribers of its thread may receive. The run was claimed at least once, or it was cancelled before its first
 * claim.
 */
export interface BegunRun {
  runId: string;
  threadId: string;
  /** The run's first event number (`event_base`). */
  base: number;
  graphId: string;
  /** The stream modes whose events the run logs. */
  modes: StreamMode[];
  /** The ids of the questions that the run answers. */
  answers: string[];
}

/** A position in the events of a thread. The next run after the cursor is the first run that begins at the event number `from` or later. */
export interface RunCursor {
  threadId: string;
  from: number;
}

/** The result for a cursor: the next run, if there is one, and the event number from which to look for later runs. */
export interface NextRun {
  /** True if the thread exists. */
  known: boolean;
  run: BegunRun | undefined;
  /** Every later run of the thread begins at this event number or at a higher one. */
  from: number;
}

interface Row {
  runId: string | null;
  threadId: string;
  base: number;
  kwargs: RunKwargs;
}

/**
 * Returns the next run for each cursor: the first run of the thread that begins at the cursor or later. The results are in the order of the
 * cursors. Searches the ended runs only if the thread's next event number is higher than the cursor, so that following an idle thread costs
 * little.
 */
export async function nextRuns(db: Db, cursors: RunCursor[]): Promise<NextRun[]> {
  const { rows } = await db.query<Row & { known: boolean; next: number }>(sql`
    select t.thread_id is not null as known, coalesce(t.event_base, 0)::double precision as next,
           f.thread_id as "threadId", r.run_id as "runId", r.event_base::double precision as base, r.kwargs
      from unnest(${cursors.map((c) => c.threadId)}::uuid[], ${cursors.map((c) => c.from)}::bigint[])
           with ordinality as f (thread_id, base, position)
      left join threads t on t.thread_id = f.thread_id
      left join lateral (
        select run_id, event_base, kwargs from runs
         where thread_id = t.thread_id and event_base >= f.base and events_until is not null and t.event_base > f.base
         union all
        select run_id, event_base, kwargs from runs
         where thread_id = t.thread_id and event_base >= f.base and status in ('pending', 'running')
         order by event_base limit 1) r on true
     order by f.position`);
  return rows.map((row, index) => ({ known: row.known, run: toRun(row), from: Math.max(cursors[index]?.from ?? 0, row.next) }));
}

function toRun({ runId, threadId, base, kwargs }: Row): BegunRun | undefined {
  if (runId === null) return undefined;
  const answers = [...(answersById(kwargs.command?.resume)?.keys() ?? [])];
  return { runId, threadId, base, graphId: String(kwargs.config.configurable?.graph_id), modes: kwargs.stream_mode, answers };
}

/** The highest number of runs that one query reads. It is small, because each row contains the whole request of a run. */
const mostRuns = 20;

/**
 * Returns the first runs of a thread whose first event number is at least `from` and lower than `below`. Leaves out runs whose events have
 * been deleted.
 */
export async function runsBetween(db: Db, { threadId, from }: RunCursor, below: number): Promise<BegunRun[]> {
  const { rows } = await db.query<Row>(sql`
    select run_id as "runId", thread_id as "threadId", event_base::double precision as base, kwargs from runs
     where thread_id = ${threadId} and event_base >= ${from} and event_base < ${below} and (ended_at is null or events_until is not null)
     order by event_base limit ${mostRuns}`);
  return rows.flatMap((row) => toRun(row) ?? []);
}

/** Returns the first event number of the run to which an event belongs. Returns 0 if the event is older than all stored runs. */
export async function baseAt(db: Db, threadId: string, number: number): Promise<number> {
  const { rows } = await db.query<{ base: number }>(sql`
    select coalesce(max(event_base), 0)::double precision as base from runs where thread_id = ${threadId} and event_base <= ${number}`);
  return rows[0]?.base ?? 0;
}

/** Returns the time of each thread's last change, as text, in the given order. The result for a thread that does not exist is undefined. */
export async function lastChanges(db: Db, threadIds: string[]): Promise<(string | undefined)[]> {
  const { rows } = await db.query<{ at: string | null }>(sql`
    select updated_at::text as at
      from unnest(${threadIds}::uuid[]) with ordinality as asked (thread_id, position) left join threads using (thread_id)
     order by position`);
  return rows.map(({ at }) => at ?? undefined);
}

/** The current position in the event numbers of a thread. */
export interface Progress {
  /** The first event number of the open run, if that run has begun, or else the first event number of the next run. */
  base: number;
  /** The highest number of any event of the thread so far, or -1 if there is none. Every later event gets a higher number. */
  through: number;
}

export async function readProgress(db: Db, threadId: string): Promise<Progress> {
  const { rows } = await db.query<Progress>(sql`
    select coalesce(open.event_base, t.event_base)::double precision as base,
           coalesce(open.event_base + (select coalesce(max(id), -1) + 1 from run_events e where e.run_id = open.run_id)
                                      * ${numbersPerEvent}::bigint, t.event_base)::double precision - 1 as through
      from threads t
      left join lateral (
        select run_id, event_base from runs
         where runs.thread_id = t.thread_id and status in ('pending', 'running') and event_base is not null
         order by event_base limit 1) open on true
     where t.thread_id = ${threadId}`);
  return rows[0] ?? { base: 0, through: -1 };
}

/** The data about a run's end that the run's subscribers get. */
export interface EndedRun {
  status: RunStatus;
  /** The time of the run's end, in milliseconds since 1970 by the database's clock. */
  at: number;
  error: RunError | null;
  /** The questions for which the run stopped, as JSON text of the form `{ __interrupt__ }`. Null if the run asked none. */
  asked: string | null;
}

/** Returns how a run ended, or undefined if the run was rolled back or deleted. */
export async function findEndedRun(db: Db, runId: string): Promise<EndedRun | undefined> {
  const { rows } = await db.query<EndedRun>(sql`
    select status, extract(epoch from coalesce(ended_at, updated_at))::double precision * 1000 as at, error,
           case when left(output::text, 17) = '{"__interrupt__":' then output::text end as asked
      from runs where run_id = ${runId}`);
  return rows[0];
}
