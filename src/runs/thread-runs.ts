import { type Db, sql } from "../db/sql.ts";
import { answersById } from "../threads/questions.ts";
import type { RunError } from "./end.ts";
import { numbersPerEvent } from "./event-base.ts";
import type { RunKwargs, RunStatus, StreamMode } from "./run.ts";

/** A run that was claimed at least once, or cancelled before, as those who follow its thread need it. */
export interface BegunRun {
  runId: string;
  threadId: string;
  /** What the numbers of its events count from. */
  base: number;
  graphId: string;
  /** What it logs. */
  modes: StreamMode[];
  /** The ids of the questions that it answers by their ids. */
  answers: string[];
}

/** Where somebody stands in the runs of a thread: the base from which on runs are of interest. */
export interface RunCursor {
  threadId: string;
  from: number;
}

/** What there is after a cursor. */
export interface NextRun {
  /** Whether there is such a thread. */
  known: boolean;
  run: BegunRun | undefined;
  /** When there is no run: from where on the next one will be. */
  from: number;
}

interface Row {
  runId: string | null;
  threadId: string;
  base: number;
  kwargs: RunKwargs;
}

/**
 * For each cursor the first run from there on that has events to be told, in the order of the cursors. The thread's own base says
 * whether one has ended since, so that a thread at rest costs no more than that look, however many runs it had.
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

/** A few at a time, because each brings along what it was asked to do. */
const mostRuns = 20;

/** The first runs of a thread from one number on and below another that have events to be told. */
export async function runsBetween(db: Db, { threadId, from }: RunCursor, below: number): Promise<BegunRun[]> {
  const { rows } = await db.query<Row>(sql`
    select run_id as "runId", thread_id as "threadId", event_base::double precision as base, kwargs from runs
     where thread_id = ${threadId} and event_base >= ${from} and event_base < ${below} and (ended_at is null or events_until is not null)
     order by event_base limit ${mostRuns}`);
  return rows.flatMap((row) => toRun(row) ?? []);
}

/** The base of the run whose events a number counts among; 0 when it is older than all. */
export async function baseAt(db: Db, threadId: string, number: number): Promise<number> {
  const { rows } = await db.query<{ base: number }>(sql`
    select coalesce(max(event_base), 0)::double precision as base from runs where thread_id = ${threadId} and event_base <= ${number}`);
  return rows[0]?.base ?? 0;
}

/** When each of these threads was last changed, in their order; undefined for one that is not there. */
export async function lastChanges(db: Db, threadIds: string[]): Promise<(string | undefined)[]> {
  const { rows } = await db.query<{ at: string | null }>(sql`
    select updated_at::text as at
      from unnest(${threadIds}::uuid[]) with ordinality as asked (thread_id, position) left join threads using (thread_id)
     order by position`);
  return rows.map(({ at }) => at ?? undefined);
}

/** What the numbers of a thread have reached. */
export interface Progress {
  /** The base of the run that has begun and not ended, or else of the next one. */
  base: number;
  /** No event that happened before has a higher number, and none that is yet to come on another run a lower one. -1 before the first. */
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

/** What became of a run, for whoever followed it. */
export interface EndedRun {
  status: RunStatus;
  /** When, in milliseconds. */
  at: number;
  error: RunError | null;
  /** What it stopped to ask, as JSON: `{ __interrupt__ }`. */
  asked: string | null;
}

/** Undefined when the run is gone: it was rolled back, or deleted. */
export async function findEndedRun(db: Db, runId: string): Promise<EndedRun | undefined> {
  const { rows } = await db.query<EndedRun>(sql`
    select status, extract(epoch from coalesce(ended_at, updated_at))::double precision * 1000 as at, error,
           case when left(output::text, 17) = '{"__interrupt__":' then output::text end as asked
      from runs where run_id = ${runId}`);
  return rows[0];
}
