import { lengthOf } from "../db/bounded.ts";
import type { Fence } from "../db/fence.ts";
import { type Page, paged } from "../db/paging.ts";
import type { Scope } from "../db/scope.ts";
import { sealable } from "../db/sealable.ts";
import { type Db, join, nothing, type Sql, sql } from "../db/sql.ts";
import { ServiceError } from "../errors.ts";
import { markingFeedback } from "../runs/feedback-mark.ts";
import type { FeedbackRight } from "./tokens.ts";

type Json = Record<string, unknown>;

/** The longest key and comment, in characters, and the highest number of keys of a run. */
export const longestKey = 100;
export const longestComment = 10_000;
export const mostKeys = 50;
/** The highest number of changes to the feedback of one URL. Without this limit, the holder of the URL could write without end. */
const mostChanges = 100;

/** The parts of feedback that a person gives. A part that is undefined stays as it is. */
export interface GivenFeedback {
  score?: number | null | undefined;
  value?: unknown;
  comment?: string | null | undefined;
  correction?: unknown;
  metadata?: Json | null | undefined;
}

/** The feedback of one run under one key. */
export interface Feedback {
  run_id: string;
  thread_id: string;
  assistant_id: string;
  graph_id: string | null;
  key: string;
  score: number | null;
  value: unknown;
  comment: string | null;
  correction: unknown;
  metadata: Json | null;
  /** The time at which somebody first gave this feedback. Null if nobody has given feedback through the URL yet. */
  given_at: Date | null;
  updated_at: Date;
}

/** The fields of the response to a person who gives feedback. */
export type TakenFeedback = Pick<Feedback, "run_id" | "key" | "score" | "value" | "comment" | "updated_at">;

const columns = sql`run_id, thread_id, assistant_id, graph_id, key, score, "value", comment, correction, feedback.metadata, given_at,
  feedback.updated_at`;
/** The database's time in seconds since 1970. */
const now = sql`extract(epoch from now())::double precision as now`;

/**
 * Stores the keys under which people may give feedback about a run. Returns the database's time in seconds, or undefined if the attempt has
 * lost the right to write.
 */
export async function offerFeedback(db: Db, fence: Fence, keys: string[]): Promise<number | undefined> {
  const { rows } = await db.query<{ now: number }>(sql`
    with ${markingFeedback(fence)},
    offered as (
      insert into feedback (run_id, key, thread_id, assistant_id, graph_id, thread_metadata)
      select marked.run_id, wanted.key, marked.thread_id, marked.assistant_id, marked.graph_id, threads.metadata
        from marked join threads using (thread_id) cross join unnest(${keys}::text[]) as wanted (key)
          on conflict do nothing)
    select ${now} from marked`);
  return rows[0]?.now;
}

/**
 * Stores feedback that was given through a URL. All calls with the same URL change the same row. A later call can thus add a comment to a
 * score, and repeated calls do not fill the database. Throws if the URL has expired, if its run is deleted, or if the feedback was changed
 * too often.
 */
export async function giveFeedback(db: Db, right: FeedbackRight, given: GivenFeedback): Promise<TakenFeedback> {
  const { runId, key, expires } = right;
  const isRow = sql`run_id = ${runId} and key = ${key}`;
  const isOver = sql`to_timestamp(${expires}::double precision) <= now()`;
  const { rows } = await db.query<TakenFeedback>(sql`
    update feedback
       set ${changesBy(given)} changes = changes + 1, given_at = coalesce(given_at, now()), updated_at = now()
     where ${isRow} and not ${isOver} and changes < ${mostChanges}
    returning run_id, key, score, "value", comment, updated_at`);
  if (rows[0]) return rows[0];
  const { rows: states } = await db.query<{ isOver: boolean; exists: boolean }>(sql`
    select ${isOver} as "isOver", exists (select from feedback where ${isRow}) as exists`);
  if (states[0]?.isOver) throw new ServiceError("forbidden", "This feedback URL has expired. Ask for the run's feedback URLs again.");
  if (!states[0]?.exists) throw new ServiceError("not_found", "The run of this feedback URL does not exist any more.");
  throw new ServiceError("conflict", `The feedback of this run and key has changed ${mostChanges} times. It cannot change any more.`);
}

function changesBy({ score, value, comment, correction, metadata }: GivenFeedback): Sql {
  const json = (document: unknown) => (document === null ? null : JSON.stringify(document));
  const changes = [
    ...(score === undefined ? [] : [sql`score = ${score}::double precision`]),
    ...(value === undefined ? [] : [sql`"value" = ${sealable("feedback.value", json(value))}::json`]),
    ...(comment === undefined ? [] : [sql`comment = ${sealable("feedback.comment", comment)}::text`]),
    ...(correction === undefined ? [] : [sql`correction = ${sealable("feedback.correction", json(correction))}::json`]),
    ...(metadata === undefined ? [] : [sql`metadata = ${sealable("feedback.metadata", json(metadata))}::json`]),
  ];
  return changes.length === 0 ? nothing : sql`${join(changes)},`;
}

/**
 * Returns the keys under which people may give feedback about a run, and the database's time in seconds. Does not read the feedback itself,
 * because it would have to be decrypted.
 */
export async function listFeedbackKeys(db: Db, runId: string): Promise<{ key: string; now: number }[]> {
  const { rows } = await db.query<{ key: string; now: number }>(sql`select key, ${now} from feedback where run_id = ${runId} order by key`);
  return rows;
}

/** Returns the feedback of a run, with the keys under which nobody has given feedback yet. Also returns the database's time in seconds. */
export async function listFeedback(db: Db, runId: string): Promise<(Feedback & { now: number })[]> {
  const { rows } = await db.query<Feedback & { now: number }>(sql`
    select ${columns}, ${now} from feedback where run_id = ${runId} order by key`);
  return rows;
}

export interface FeedbackSearch {
  run_id?: string | undefined;
  thread_id?: string | undefined;
  assistant_id?: string | undefined;
  graph_id?: string | undefined;
  key?: string | undefined;
  /** Only feedback with at least this score is found. */
  score_min?: number | undefined;
  /** Only feedback with at most this score is found. */
  score_max?: number | undefined;
  given_since?: Date | undefined;
  given_until?: Date | undefined;
  limit: number;
  offset: number;
  exact?: boolean | undefined;
  bytes?: number;
}

/** Returns a page of the feedback that people have given and that matches the filter. The latest feedback comes first. */
export function searchFeedback(db: Db, scope: Scope, { limit, offset, exact, bytes, ...filter }: FeedbackSearch): Promise<Page<Feedback>> {
  const select = sql`
    select ${columns} from feedback left join threads using (thread_id)
     where given_at is not null and ${scope.visible(sql`coalesce(threads.metadata, thread_metadata)`)} ${matching(filter)}`;
  const page = { limit, offset, ...(exact && { exact }), ...(bytes !== undefined && { bytes }) };
  const documents = ["value", "comment", "correction", "metadata"] as const;
  return paged<Feedback>(
    db,
    select,
    page,
    { created_at: sql`given_at` },
    documents.map((name) => lengthOf(documentColumns[name])),
  );
}

const documentColumns = { value: sql`"value"`, comment: sql`comment`, correction: sql`correction`, metadata: sql`metadata` };

function matching(filter: Omit<FeedbackSearch, "limit" | "offset">): Sql {
  const { run_id, thread_id, assistant_id, graph_id, key, score_min, score_max, given_since, given_until } = filter;
  const unless = (value: unknown, condition: Sql) => (value === undefined ? nothing : sql`and ${condition}`);
  return sql`
    ${unless(run_id, sql`run_id = ${run_id}`)} ${unless(thread_id, sql`thread_id = ${thread_id}`)}
    ${unless(assistant_id, sql`assistant_id = ${assistant_id}`)} ${unless(graph_id, sql`graph_id = ${graph_id}`)}
    ${unless(key, sql`key = ${key}`)} ${unless(score_min, sql`score >= ${score_min}`)} ${unless(score_max, sql`score <= ${score_max}`)}
    ${unless(given_since, sql`given_at >= ${given_since}`)} ${unless(given_until, sql`given_at < ${given_until}`)}`;
}

/**
 * Deletes the feedback about all runs of a thread. Call it before a user's request deletes the thread. If the thread is temporary, the
 * database's trigger would otherwise keep the feedback, as it does when the retention sweep deletes the thread.
 */
export async function deleteFeedbackOfThread(tx: Db, threadId: string): Promise<void> {
  await tx.query(sql`delete from feedback where thread_id = ${threadId}`);
}

const outdated = (days: number): Sql => sql`detached and updated_at < now() - make_interval(secs => ${days * 86_400})`;

/**
 * Deletes old feedback whose run is already deleted. A row is old if it has not changed for `days` days. Deletes at most `limit` rows, and
 * returns their number.
 */
export async function sweepFeedback(db: Db, days: number, limit: number): Promise<number> {
  const { rowCount } = await db.query(sql`
    delete from feedback where (run_id, key) in (select run_id, key from feedback where ${outdated(days)} order by updated_at limit ${limit})`);
  return rowCount ?? 0;
}

/** Returns the number of rows that `sweepFeedback` would delete. */
export async function countOutdatedFeedback(db: Db, days: number): Promise<number> {
  const { rows } = await db.query<{ count: number }>(sql`select count(*)::integer as count from feedback where ${outdated(days)}`);
  return rows[0]?.count ?? 0;
}
