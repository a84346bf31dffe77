import { newId } from "../db/ids.ts";
import type { Scope } from "../db/scope.ts";
import { sealableJson } from "../db/sealable.ts";
import { type Db, nothing, type Sql, sql } from "../db/sql.ts";
import { type ChosenWebhooks, discardWebhooks, redriveWebhooks } from "../webhooks/dead-webhooks.ts";
import { type LetterFilter, matching } from "./search-letters.ts";

/** The letters to change: those with these ids, or those that match the filter. */
export type Choice = { ids: string[] } | { filter: Omit<LetterFilter, "state"> };

/**
 * An input that replaces the original input of every chosen letter, and the user who has sent it. The runs that redrive the letters belong
 * to this user.
 */
export interface Edit {
  input: unknown;
  user: object | null;
  metadata: object;
  /** The scope of the assistants that the user may run. */
  assistants: Scope;
}

export interface Redrive {
  parallel: number;
  by: string | null;
  edit?: Edit | undefined;
}

const chosen = (scope: Scope, choice: Choice): Sql =>
  "ids" in choice ? sql`letter_id = any(${choice.ids}::uuid[]) and ${scope.visible(sql`metadata`)}` : matching(scope, choice.filter);

/** Tells whether the caller may see at least one of these letters, in any state. */
export async function hasAnyLetter(db: Db, scope: Scope, ids: string[]): Promise<boolean> {
  const { rowCount } = await db.query(sql`select 1 from letter_rows where ${chosen(scope, { ids })} limit 1`);
  return rowCount !== 0;
}

/**
 * Returns an SQL condition on the table `dead_letters`. It is true if the user of the edit may run the letter's assistant, which everybody
 * may if it is the default assistant of a graph.
 */
const runnable = ({ assistants }: Edit): Sql => sql`
  (substring(assistant_id::text from 15 for 1) = '5'
   or exists (select from assistants where assistants.assistant_id = dead_letters.assistant_id and ${assistants.visible(sql`assistants.metadata`)}))`;

/** Returns the ids of the graphs to which the chosen dead letters belong. */
export async function graphsOfLetters(db: Db, scope: Scope, choice: Choice): Promise<string[]> {
  const { rows } = await db.query<{ graphId: string }>(sql`
    select distinct graph_id as "graphId" from dead_letters where state = 'dead' and graph_id is not null and ${chosen(scope, choice)}`);
  return rows.map(({ graphId }) => graphId);
}

/**
 * Marks the chosen dead letters for a redrive, and returns their ids. Workers then create the runs and send the webhooks. If two callers
 * redrive the same letter at the same time, only the first caller gets the letter's id. With a new input (`edit`), webhooks are not
 * redriven, because they have no input. Call this in a transaction.
 */
export async function redriveLetters(tx: Db, scope: Scope, choice: Choice, redrive: Redrive): Promise<string[]> {
  const webhooks = redrive.edit ? undefined : webhooksIn(choice);
  const ordered = await orderRedrive(tx, scope, choice, redrive);
  return webhooks ? [...ordered, ...(await redriveWebhooks(tx, scope, webhooks, redrive.by))] : ordered;
}

/** Returns the part of the choice that selects webhooks. Returns undefined if the choice selects only letters of other kinds. */
function webhooksIn(choice: Choice): ChosenWebhooks | undefined {
  if ("ids" in choice) return { runIds: choice.ids };
  const { kind, ...others } = choice.filter;
  return kind === undefined || kind === "webhook" ? others : undefined;
}

async function orderRedrive(tx: Db, scope: Scope, choice: Choice, { parallel, by, edit }: Redrive): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(sql`
    with held as (
      select letter_id from dead_letters
       where state = 'dead' and ${chosen(scope, choice)} ${edit ? sql`and ${runnable(edit)}` : nothing}
       order by letter_id for update),
    redrive as (
      insert into redrives (redrive_id, parallel, edit, auth_user, metadata)
      select ${newId()}, ${parallel}, ${edit ? sealableJson("redrives.edit", { input: edit.input }) : null}::json, ${edit?.user ? sealableJson("redrives.auth_user", edit.user) : null}::json,
             ${sealableJson("redrives.metadata", edit?.metadata ?? {})}::json
       where exists (select from held)
      returning redrive_id)
    update dead_letters
       set state = 'redriving', state_at = now(), by = ${by}, redrive_id = redrive.redrive_id, redrive_run_id = null, redrive_thread_id = null
      from held, redrive
     where dead_letters.letter_id = held.letter_id
    returning dead_letters.letter_id as id`);
  return rows.map(({ id }) => id);
}

/** Discards dead letters, and returns the ids of the discarded letters. Call it in a transaction. */
export async function discardLetters(tx: Db, scope: Scope, choice: Choice, by: string | null): Promise<string[]> {
  const webhooks = webhooksIn(choice);
  const { rows } = await tx.query<{ id: string }>(sql`
    with held as (select letter_id from dead_letters where state = 'dead' and ${chosen(scope, choice)} order by letter_id for update)
    update dead_letters set state = 'discarded', state_at = now(), by = ${by}
      from held where dead_letters.letter_id = held.letter_id
    returning dead_letters.letter_id as id`);
  const discarded = rows.map(({ id }) => id);
  return webhooks ? [...discarded, ...(await discardWebhooks(tx, scope, webhooks, by))] : discarded;
}

const outdated = (days: number): Sql => sql`state <> 'redriving' and state_at < now() - make_interval(secs => ${days * 86_400})`;

/** Deletes at most `limit` letters whose state has not changed for `days` days. Returns the number of deleted letters. */
export async function sweepLetters(db: Db, days: number, limit: number): Promise<number> {
  const { rowCount } = await db.query(sql`
    delete from dead_letters where letter_id in (select letter_id from dead_letters where ${outdated(days)} order by state_at limit ${limit})`);
  return rowCount ?? 0;
}

/** Counts the letters that a sweep would delete, because they have not changed for `days` days. */
export async function countOutdatedLetters(db: Db, days: number): Promise<number> {
  const { rows } = await db.query<{ count: number }>(sql`select count(*)::integer as count from dead_letters where ${outdated(days)}`);
  return rows[0]?.count ?? 0;
}
