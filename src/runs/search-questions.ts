import { toAssistantId } from "../assistants/assistants.ts";
import { lengthOf, readBounded } from "../db/bounded.ts";
import { type Page, toPage } from "../db/paging.ts";
import type { Scope } from "../db/scope.ts";
import { type Db, nothing, type Sql, sql } from "../db/sql.ts";
import { questionsIn } from "../threads/questions.ts";

/** An open question, with facts about the run that asked it. */
export interface FoundQuestion {
  thread_id: string;
  /** The id of the last run that began on the thread. Null if no such run is stored, for example because the thread is a copy. */
  run_id: string | null;
  graph_id: string | null;
  assistant_id: string | null;
  task_id: string;
  /** The id by which an answer names the question. */
  interrupt_id: string;
  value: unknown;
  /** The JSON schema of a valid answer. Null if the graph gave no schema. */
  response_schema: unknown;
  /** The time since which the thread waits for answers. */
  created_at: Date;
  /** The time at which the service continues without an answer. Null if the service waits forever. */
  deadline: Date | null;
}

export interface QuestionFilter {
  graph_id?: string;
  assistant_id?: string;
  thread_id?: string;
  created_since?: Date;
  created_until?: Date;
  deadline_since?: Date;
  deadline_until?: Date;
}

export interface QuestionSearch extends QuestionFilter {
  limit: number;
  offset: number;
  /** The sort key. With `deadline`, only questions that have a deadline are found. */
  sort_by?: "created_at" | "deadline";
  sort_order?: "asc" | "desc";
  select?: (keyof FoundQuestion)[];
  exact?: boolean;
  /** The highest total size of the questions on a page, in bytes. Undefined means no limit. */
  bytes?: number;
}

/** A row of the result. `document` contains all questions of a thread. To save space, only the first row of the thread has it. */
type Row = Omit<FoundQuestion, "value" | "response_schema"> & { place: number; document: Record<string, unknown[]> | null };

/** Returns a page of the open questions of all threads that the scope includes. A thread with an open run has no open question. */
export async function searchQuestions(db: Db, scope: Scope, search: QuestionSearch): Promise<Page<FoundQuestion>> {
  const { limit, offset, select = [], bytes } = search;
  const wantsValues = select.length === 0 || select.includes("value") || select.includes("response_schema");
  const query = sql`
    select thread_id, run_id, graph_id, assistant_id, task_id, interrupt_id, place, created_at, deadline,
           ${wantsValues ? sql`case when row_number() over (partition by thread_id ${inOrder(search)}) = 1 then interrupts end` : sql`null::json`} as document
      from (${openQuestions(scope, search)} ${inOrder(search)} limit ${limit + 1} offset ${offset}) questions ${inOrder(search)}`;
  const { rows, isCut } = await readBounded<Row>(db, query, [lengthOf(sql`document`)], bytes);
  return toPage(db, { rows: withValues(rows), isCut }, countedQuestions(scope, search), search);
}

/** Adds the value of each question to its row. The values of all questions of a thread are in the document of the thread's first row. */
function withValues(rows: Row[]): FoundQuestion[] {
  const documents = new Map(rows.flatMap(({ thread_id, document }) => (document ? [[thread_id, document] as const] : [])));
  return rows.map(({ place, document, ...row }) => {
    const [question] = questionsIn({ task: [documents.get(row.thread_id)?.[row.task_id]?.[place - 1]] });
    return { ...row, value: question?.value, response_schema: question?.responseSchema ?? null };
  });
}

function inOrder({ sort_by = "created_at", sort_order = "desc" }: QuestionSearch): Sql {
  const direction = sort_order === "asc" ? sql`asc` : sql`desc`;
  const key = sort_by === "deadline" ? sql`deadline` : sql`created_at`;
  return sql`order by ${key} ${direction}, thread_id ${direction}, task_id, place`;
}

/**
 * An SQL expression that is true if a thread has an open run. The subquery reads only the runs of this thread. With `exists`, Postgres
 * would first read the open runs of all threads.
 */
const isBusy = sql`coalesce((select true from runs where runs.thread_id = threads.thread_id and runs.status in ('pending', 'running') limit 1), false)`;

/** Selects the open questions with all columns that a page needs. */
const openQuestions = (scope: Scope, search: QuestionSearch): Sql => sql`
  select threads.thread_id, asker.run_id, asker.graph_id, asker.assistant_id, task.key as task_id, item.id as interrupt_id, item.place,
         threads.state_updated_at as created_at, timers.due_at as deadline, threads.interrupts
    from ${questions(search, true)} where ${conditions(scope, search)}`;

/** Selects one row for each open question, to count them. */
const countedQuestions = (scope: Scope, search: QuestionSearch): Sql => {
  const needsAsker = search.graph_id !== undefined || search.assistant_id !== undefined;
  return sql`select 1 from ${questions(search, needsAsker)} where ${conditions(scope, search)}`;
};

/**
 * Returns the tables that a search joins. The ids of the questions are read from a sanitized copy of the thread's `interrupts`. Postgres's
 * functions would refuse the original if it contains characters such as NUL. The values of the questions are taken from the original later.
 */
function questions({ sort_by, deadline_since, deadline_until }: QuestionSearch, withAsker: boolean): Sql {
  const isTimed = sort_by === "deadline" || deadline_since !== undefined || deadline_until !== undefined;
  return sql`
    threads
     cross join lateral jsonb_each(searchable(threads.interrupts)) task
     cross join lateral (select value ->> 'id' as id, place::integer from jsonb_array_elements(task.value) with ordinality asked (value, place)) item
     ${withAsker ? sql`cross join lateral (${asker}) asker` : nothing}
      ${isTimed ? sql`join` : sql`left join`} timers on timers.thread_id = threads.thread_id and timers.interrupt_id = item.id`;
}

/** Selects the last run that began on the thread. A copied thread has no runs, but its metadata names the graph and the assistant. */
const asker = sql`
  select last.run_id, coalesce(last.graph_id, searchable(threads.metadata) ->> 'graph_id') as graph_id,
         coalesce(last.assistant_id::text, searchable(threads.metadata) ->> 'assistant_id') as assistant_id
    from (select) always
    left join lateral (
      select run_id, graph_id, assistant_id from runs
       where runs.thread_id = threads.thread_id and started_at is not null order by seq desc limit 1) last on true`;

function conditions(scope: Scope, filter: QuestionFilter): Sql {
  const { graph_id, assistant_id, thread_id, created_since, created_until, deadline_since, deadline_until } = filter;
  const unless = (value: unknown, condition: Sql) => (value === undefined ? nothing : sql`and ${condition}`);
  return sql`threads.resting_status = 'interrupted' and not threads.temporary and not ${isBusy} and item.id ~ '^[0-9a-f]{32}$'
    and ${scope.visible(sql`threads.metadata`)}
    ${unless(graph_id, sql`asker.graph_id = ${graph_id}`)}
    ${unless(assistant_id, sql`asker.assistant_id = ${toAssistantId(assistant_id ?? "")}`)}
    ${unless(thread_id, sql`threads.thread_id = ${thread_id}`)}
    ${unless(created_since, sql`threads.state_updated_at >= ${created_since}`)}
    ${unless(created_until, sql`threads.state_updated_at < ${created_until}`)}
    ${unless(deadline_since, sql`timers.due_at >= ${deadline_since}`)}
    ${unless(deadline_until, sql`timers.due_at < ${deadline_until}`)}`;
}
