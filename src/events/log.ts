import { sealable } from "../db/sealable.ts";
import { type Db, type Sql, sql } from "../db/sql.ts";

/** An event of a run in the form that clients receive. `data` is JSON text. */
export interface RunEvent {
  id: number;
  event: string;
  data: string;
}

/** An event as the log stores it. */
export interface LoggedEvent extends RunEvent {
  /** The time at which the event was stored, in milliseconds since 1970 by the database's clock. */
  at: number;
}

export const milliseconds = (moment: Sql) => sql`extract(epoch from ${moment})::double precision * 1000`;

/** A position in a run's log. `after` is the id of the last event that the reader already has. */
export interface Cursor {
  runId: string;
  after: number;
}

/** The events of a log that follow a cursor. */
export interface Page {
  events: LoggedEvent[];
  /** True if further events may follow this page, because the page is full. */
  more: boolean;
  /** True if the run has ended or is deleted, so that no events follow this page. */
  over: boolean;
}

const pageRows = 500;
const pageBytes = 1_000_000;

/**
 * Returns a `with` query that adds events to the logs of their runs. Place it in the statement after the query `fence` of `fencedAll`,
 * because it stores only events of the runs that `fence` selects.
 */
export function appendingEvents(events: (RunEvent & { runId: string })[]): Sql {
  return sql`
    appended as (
      insert into run_events (run_id, id, event, data)
      select fence.run_id, e.id, e.event, e.data
        from unnest(${events.map((e) => e.runId)}::uuid[], ${events.map((e) => e.id)}::integer[], ${events.map((e) => e.event)}::text[],
                    ${events.map((e) => sealable("run_events.data", e.data))}::text[]) as e (run_id, id, event, data)
        join fence on fence.run_id = e.run_id
          on conflict do nothing)`;
}

/**
 * Returns one page of the log for each cursor. If the log has a later event, the page has at least one event, however large that event is.
 * The run's row is read in the same snapshot. Thus, if a page says that the run has ended, no event is missing.
 */
export async function readEvents(db: Db, cursors: Cursor[]): Promise<Map<string, Page>> {
  const { rows } = await db.query<{
    runId: string;
    over: boolean;
    id: number | null;
    event: string;
    data: string;
    at: number;
    bytes: number | null;
  }>(sql`
    select f.run_id as "runId", r.run_id is null or r.ended_at is not null as over, e.id, e.event, e.data,
           ${milliseconds(sql`e.at`)} as at, e.bytes
      from unnest(${cursors.map((c) => c.runId)}::uuid[], ${cursors.map((c) => c.after)}::integer[]) as f (run_id, after)
      left join runs r on r.run_id = f.run_id
      left join lateral (
        select id, event, data, at, octet_length(data) as bytes
          from (select id, event, data, at, sum(octet_length(data)) over (order by id) - octet_length(data) as bytes_before
                  from run_events where run_id = f.run_id and id > f.after order by id limit ${pageRows}) page
         where bytes_before < ${pageBytes}) e on true
     order by f.run_id, e.id`);
  const pages = new Map<string, Page & { bytes: number }>();
  for (const { runId, over, id, event, data, at, bytes } of rows) {
    const page = pages.get(runId) ?? { events: [], more: false, over, bytes: 0 };
    if (id !== null) page.events.push({ id, event, data, at });
    page.bytes += bytes ?? 0;
    pages.set(runId, page);
  }
  for (const page of pages.values()) {
    page.more = page.events.length >= pageRows || page.bytes >= pageBytes;
    page.over &&= !page.more;
  }
  return pages;
}

/** Returns the id of a run's newest event, or -1 if the run has no event. */
export async function newestEventId(db: Db, runId: string): Promise<number> {
  const { rows } = await db.query<{ id: number }>(sql`select coalesce(max(id), -1) as id from run_events where run_id = ${runId}`);
  return rows[0]?.id ?? -1;
}
