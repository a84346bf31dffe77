import { type Db, type Sql, sql } from "../db/sql.ts";

/** One event of a run as its clients see it. `data` is JSON text. */
export interface RunEvent {
  id: number;
  event: string;
  data: string;
}

/** An event as the log stores it. */
export interface LoggedEvent extends RunEvent {
  /** The time of storing, in milliseconds of the database's clock. */
  at: number;
}

export const milliseconds = (moment: Sql) => sql`extract(epoch from ${moment})::double precision * 1000`;

/** The position of a follower: the id of the last event that it has. */
export interface Cursor {
  runId: string;
  after: number;
}

/** The events of a log after a cursor. */
export interface Page {
  events: LoggedEvent[];
  /** Whether the page is full, so that more events may follow. */
  more: boolean;
  /** Whether the run has ended or is deleted, so that nothing will follow these events. */
  over: boolean;
}

const pageRows = 500;
const pageBytes = 1_000_000;

/** Continues a statement that begins with the fences of these runs. */
export function appendingEvents(events: (RunEvent & { runId: string })[]): Sql {
  return sql`
    appended as (
      insert into run_events (run_id, id, event, data)
      select fence.run_id, e.id, e.event, e.data
        from unnest(${events.map((e) => e.runId)}::uuid[], ${events.map((e) => e.id)}::integer[], ${events.map((e) => e.event)}::text[],
                    ${events.map((e) => e.data)}::text[]) as e (run_id, id, event, data)
        join fence on fence.run_id = e.run_id
          on conflict do nothing)`;
}

/**
 * Returns one page of every cursor's log, with at least one event if there is one. It reads the runs row in the same snapshot, so this
 * statement sees every event of a run that is over.
 */
export async function readEvents(db: Db, cursors: Cursor[]): Promise<Map<string, Page>> {
  const { rows } = await db.query<{ runId: string; over: boolean; id: number | null; event: string; data: string; at: number }>(sql`
    select f.run_id as "runId", r.run_id is null or r.ended_at is not null as over, e.id, e.event, e.data,
           ${milliseconds(sql`e.at`)} as at
      from unnest(${cursors.map((c) => c.runId)}::uuid[], ${cursors.map((c) => c.after)}::integer[]) as f (run_id, after)
      left join runs r on r.run_id = f.run_id
      left join lateral (
        select id, event, data, at
          from (select id, event, data, at, sum(octet_length(data)) over (order by id) - octet_length(data) as bytes_before
                  from run_events where run_id = f.run_id and id > f.after order by id limit ${pageRows}) page
         where bytes_before < ${pageBytes}) e on true
     order by f.run_id, e.id`);
  const pages = new Map<string, Page>();
  for (const { runId, over, id, event, data, at } of rows) {
    const page = pages.get(runId) ?? { events: [], more: false, over };
    if (id !== null) page.events.push({ id, event, data, at });
    pages.set(runId, page);
  }
  for (const page of pages.values()) {
    page.more = isFull(page.events);
    page.over &&= !page.more;
  }
  return pages;
}

/** Returns the id of a run's newest event, or -1 when it has none. */
export async function newestEventId(db: Db, runId: string): Promise<number> {
  const { rows } = await db.query<{ id: number }>(sql`select coalesce(max(id), -1) as id from run_events where run_id = ${runId}`);
  return rows[0]?.id ?? -1;
}

/** Returns whether a page may be full. The server counts bytes and this counts characters. A ratio of four errs towards reading again. */
function isFull(events: RunEvent[]): boolean {
  return events.length >= pageRows || events.reduce((bytes, { data }) => bytes + data.length, 0) >= pageBytes / 4;
}
