import { lengthOf } from "../db/bounded.ts";
import { type Page, paged } from "../db/paging.ts";
import type { Scope } from "../db/scope.ts";
import { type Db, nothing, type Sql, sql } from "../db/sql.ts";
import { ServiceError } from "../errors.ts";
import { readWebhookPayload } from "../webhooks/dead-webhooks.ts";
import type { DeadLetter, LetterKind, LetterState } from "./letter.ts";

export interface LetterFilter {
  kind?: LetterKind | undefined;
  graph?: string | undefined;
  /** Selects letters whose last failure was at this time or later. Undefined selects all letters. */
  since?: Date | undefined;
  state?: LetterState | undefined;
}

export interface LetterSearch extends LetterFilter {
  limit: number;
  offset: number;
  /** The size limit of a page of letters, in bytes. */
  bytes?: number;
}

type Row = Omit<DeadLetter, "error" | "redrive"> & {
  error: { error?: unknown; message?: unknown };
  redrive_run_id: string | null;
  redrive_thread_id: string | null;
};

const columns = sql`letter_id as id, kind, run_id, thread_id, cron_id, graph_id, node, item, error, attempts, first_at, last_at, state, by, owner,
  redrive_run_id, redrive_thread_id`;

export const letterNotFound = () => new ServiceError("not_found", "Dead letter not found");

/**
 * Returns the SQL conditions for a filter. They can be used on the view `letter_rows` and on the table `dead_letters`, because both have
 * the columns that the filter needs.
 */
export function matching(scope: Scope, { kind, graph, since, state }: LetterFilter): Sql {
  return sql`${scope.visible(sql`metadata`)}
    ${kind === undefined ? nothing : sql`and kind = ${kind}`} ${graph === undefined ? nothing : sql`and graph_id = ${graph}`}
    ${since === undefined ? nothing : sql`and last_at >= ${since}`} ${state === undefined ? nothing : sql`and state = ${state}`}`;
}

/** Returns a page of letters. The letter with the latest failure comes first. */
export async function searchLetters(db: Db, scope: Scope, { limit, offset, bytes, ...filter }: LetterSearch): Promise<Page<DeadLetter>> {
  const page = await paged<Row>(
    db,
    sql`select ${columns} from letter_rows where ${matching(scope, filter)}`,
    { limit, offset, ...(bytes !== undefined && { bytes }) },
    { created_at: sql`last_at` },
    [lengthOf(sql`error`)],
  );
  return { ...page, rows: page.rows.map(toLetter) };
}

const mostCounted = 100_000;

/** Returns the number of dead letters of each kind, which a person must redrive or discard. Stops counting at 100,000 letters in total. */
export async function countDead(db: Db): Promise<{ kind: LetterKind; letters: number }[]> {
  const { rows } = await db.query<{ kind: LetterKind; letters: number }>(sql`
    select kinds.kind, count(dead.kind)::integer as letters
      from unnest(enum_range(null::letter_kind)) as kinds (kind)
      left join (select kind from letter_rows where state = 'dead' limit ${mostCounted}) dead using (kind)
     group by kinds.kind`);
  return rows;
}

/** A dead letter with its payload. */
export type WholeLetter = DeadLetter & { payload: unknown };

/**
 * Returns a letter with its payload. The payload is:
 * - for a run or an item, its input, command and context
 * - for a cron, the cron's request
 * - for a webhook, the document that the webhook sends
 */
export async function getLetter(db: Db, scope: Scope, letterId: string): Promise<WholeLetter> {
  const { rows } = await db.query<Row>(sql`
    select ${columns} from letter_rows where letter_id = ${letterId} and ${scope.visible(sql`metadata`)}`);
  if (!rows[0]) throw letterNotFound();
  const letter = toLetter(rows[0]);
  const payload = letter.kind === "webhook" ? await readWebhookPayload(db, letterId) : await readPayload(db, letterId);
  return { ...letter, payload };
}

interface Payload {
  payload: { input: unknown; context?: unknown } | null;
  kwargs: { input?: unknown; command?: unknown; context?: unknown } | null;
}

async function readPayload(db: Db, letterId: string): Promise<unknown> {
  const { rows } = await db.query<Payload>(sql`
    select coalesce(dead_letters.payload, case when kind = 'cron' then crons.payload end) as payload,
           case when dead_letters.kind = 'run' then coalesce(dead_letters.kwargs, runs.kwargs) end as kwargs
      from dead_letters left join runs using (run_id) left join crons on crons.cron_id = dead_letters.cron_id
     where dead_letters.letter_id = ${letterId}`);
  const { payload = null, kwargs = null } = rows[0] ?? {};
  if (!kwargs) return payload;
  const { input = null, command = null, context = null } = kwargs;
  return { input, ...(command !== null && { command }), ...(context !== null && { context }) };
}

function toLetter({ error, redrive_run_id: runId, redrive_thread_id: threadId, ...row }: Row): DeadLetter {
  const redrive = runId && threadId ? { run_id: runId, thread_id: threadId } : null;
  return { ...row, error: { type: String(error.error ?? "Error"), message: String(error.message ?? "") }, redrive };
}
