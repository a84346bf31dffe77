import { z } from "zod";
import type { Scope } from "../db/scope.ts";
import { type Db, type Sql, sql } from "../db/sql.ts";
import { runNotFound } from "../errors.ts";
import { costOf, type Prices, priceOf } from "../usage/prices.ts";
import { visibleBy } from "./read.ts";
import { EndStatus, type RunStatus } from "./run.ts";

export const SpanKind = z.enum(["node", "model", "tool"]);
export type SpanKind = z.infer<typeof SpanKind>;

/** The outcome of a span. A span is unfinished if its attempt ended first. */
export const SpanOutcome = z.enum(["success", "error", "interrupted", "unfinished"]);
export type SpanOutcome = z.infer<typeof SpanOutcome>;

/**
 * A span in its stored form: a node, a model call or a tool call. `parent` is the number of the enclosing span, or 0 if there is none.
 * `began` and `ended` are milliseconds since the attempt's claim.
 */
export type Span = [
  number: number,
  parent: number,
  kind: SpanKind,
  name: string,
  began: number,
  ended: number,
  outcome: SpanOutcome,
  inputTokens?: number,
  outputTokens?: number,
  error?: string,
];

/**
 * The outcome of an attempt. "released" means that the run returned to the queue. "lost" means that another worker took over the run.
 * "crashed" means that the attempt's worker died.
 */
export const AttemptOutcome = z.enum([...EndStatus.options, "released", "lost", "crashed"]);
export type AttemptOutcome = z.infer<typeof AttemptOutcome>;

/**
 * An attempt in the form that `runs.timeline` stores. Times are milliseconds since 1970 by the database's clock. Null or undefined means
 * that the fact was not recorded.
 */
export interface AttemptRecord {
  attempt: number;
  worker: string | null;
  host?: string | null;
  pid?: number | null;
  version?: string | null;
  claimed?: number | null;
  ended?: number | null;
  outcome?: AttemptOutcome;
  spans?: Span[];
  /** The spans that the attempt's checkpoints hold, one list for each checkpoint. Set only if another process ended the attempt. */
  parts?: Span[][] | null;
  /** The number of spans that were not stored, because the attempt had too many. */
  dropped?: number;
}

const milliseconds = (moment: Sql) => sql`extract(epoch from ${moment})::double precision * 1000`;

/**
 * Returns an SQL expression for the run's timeline, to which the record of the present attempt is appended. Use it when another process
 * ends the attempt, because only the attempt's own process has its spans in memory. The spans of the record therefore come from the
 * attempt's checkpoints. If the run has no running attempt, the timeline does not change.
 */
export const withEndedAttempt = (outcome: Sql): Sql => sql`
  case when runs.status <> 'running' then runs.timeline
       else array_append(runs.timeline, (
         select json_build_object('attempt', runs.attempt, 'worker', runs.worker_id, 'host', w.host, 'pid', w.pid, 'version', w.version,
                                  'claimed', case when runs.claimed_attempt = runs.attempt then ${milliseconds(sql`runs.claimed_at`)} end,
                                  'ended', ${milliseconds(sql`clock_timestamp()`)},
                                  'outcome', ${outcome},
                                  'parts', (select json_agg(c.spans::json order by c.seq) from checkpoints c
                                             where c.run_id = runs.run_id and c.spans is not null
                                               and c.metadata ->> 'run_attempt' = runs.attempt::text))::text
           from (values (1)) one (row) left join workers w on w.worker_id = runs.worker_id))
   end`;

/** Returns the timeline with the given record appended. The record is JSON text, or null if there is none. */
export const withRecord = (record: Sql): Sql =>
  sql`case when ${record} is null then runs.timeline else array_append(runs.timeline, ${record}) end`;

/** A span as the API shows it. */
export interface ShownSpan {
  id: number;
  parent: number | null;
  kind: SpanKind;
  name: string;
  started_at: Date;
  ended_at: Date;
  outcome: SpanOutcome;
  input_tokens: number | null;
  output_tokens: number | null;
  /** The cost of a model call, or null if the price of its model is unknown. */
  dollars: number | null;
  error: string | null;
}

/** An attempt as the API shows it. Facts that were not recorded are null. */
export interface ShownAttempt {
  attempt: number;
  worker_id: string | null;
  host: string | null;
  pid: number | null;
  version: string | null;
  claimed_at: Date | null;
  ended_at: Date | null;
  /** The outcome of the attempt. Null while the attempt is running, or if no process recorded the outcome. */
  outcome: AttemptOutcome | null;
  spans: ShownSpan[];
  dropped_spans: number;
}

export interface Timeline {
  run_id: string;
  thread_id: string;
  graph_id: string | null;
  status: RunStatus;
  created_at: Date;
  due_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
  attempts: ShownAttempt[];
}

interface RunPlace {
  threadId: string;
  runId: string;
}

type Row = Omit<Timeline, "attempts"> & {
  attempt: number;
  timeline: string[] | null;
  current: AttemptRecord | null;
  claimedAttempt: number | null;
  claimed: number | null;
};

/** Returns the attempts of a run with their spans. While the run is running, the timeline contains all spans up to the last stored step. */
export async function readTimeline(db: Db, scope: Scope, { threadId, runId }: RunPlace, prices: Prices): Promise<Timeline> {
  const { rows } = await db.query<Row>(sql`
    select run_id, thread_id, graph_id, status, created_at, run_at as due_at, runs.started_at, ended_at, attempt, timeline,
           case when status = 'running'
                then json_build_object('attempt', attempt, 'worker', w.worker_id, 'host', w.host, 'pid', w.pid, 'version', w.version) end as current,
           claimed_attempt as "claimedAttempt", ${milliseconds(sql`claimed_at`)} as claimed
      from runs left join workers w using (worker_id)
     where run_id = ${runId} and thread_id = ${threadId} and ${visibleBy(scope)}`);
  const [row] = rows;
  if (!row) throw runNotFound();
  const { attempt: newest, timeline, current, claimedAttempt, claimed, ...run } = row;
  const records = [...(timeline ?? []).map((text) => JSON.parse(text) as AttemptRecord), ...(current ? [current] : [])];
  const isWhole = records.length === newest && !current;
  const parts = isWhole ? new Map<number, Span[][]>() : await readParts(db, runId);
  const attempts = Array.from({ length: newest }, (_, index) => {
    const record = records.find(({ attempt }) => attempt === index + 1) ?? { attempt: index + 1, worker: null };
    return shown(deduced({ parts: parts.get(index + 1) ?? null, ...record }, row), prices);
  });
  return { ...run, attempts };
}

/**
 * Adds the times and the outcome from the run's row to a record that lacks them. A record lacks them if its attempt is still running, or if
 * a worker of the previous release claimed or ended the attempt.
 */
function deduced(record: AttemptRecord, row: Row): AttemptRecord {
  const { attempt, claimed, ended, outcome } = record;
  const first = attempt === 1 ? row.started_at?.getTime() : undefined;
  const isLast = attempt === row.attempt && row.ended_at !== null;
  const last = isLast ? { ended: row.ended_at?.getTime() ?? null, outcome: row.status as AttemptOutcome } : undefined;
  return {
    ...record,
    claimed: claimed ?? (attempt === row.claimedAttempt ? row.claimed : first) ?? null,
    ended: ended ?? last?.ended ?? null,
    ...((outcome ?? last) && { outcome: outcome ?? last?.outcome }),
  } as AttemptRecord;
}

/** Returns the spans that the checkpoints of a run hold. The keys of the map are the numbers of the attempts. */
async function readParts(db: Db, runId: string): Promise<Map<number, Span[][]>> {
  const { rows } = await db.query<{ attempt: number; parts: Span[][] }>(sql`
    select (metadata ->> 'run_attempt')::integer as attempt, json_agg(spans::json order by seq) as parts
      from checkpoints where run_id = ${runId} and spans is not null group by 1`);
  return new Map(rows.map(({ attempt, parts }) => [attempt, parts]));
}

function shown(record: AttemptRecord, prices: Prices): ShownAttempt {
  const { attempt, worker, claimed = null, host = null, pid = null, version = null, ended = null, outcome = null, dropped = 0 } = record;
  const spans = claimed === null ? [] : (record.spans ?? record.parts?.flat() ?? []).map((span) => shownSpan(span, claimed, prices));
  const moment = (ms: number | null) => (ms === null ? null : new Date(ms));
  return {
    attempt,
    worker_id: worker,
    host,
    pid,
    version,
    claimed_at: moment(claimed),
    ended_at: moment(ended),
    outcome,
    spans,
    dropped_spans: dropped,
  };
}

function shownSpan(span: Span, claimed: number, prices: Prices): ShownSpan {
  const [id, parent, kind, name, began, ended, outcome, input, output, error] = span;
  return {
    id,
    parent: parent === 0 ? null : parent,
    kind,
    name,
    started_at: new Date(claimed + began),
    ended_at: new Date(claimed + ended),
    outcome,
    input_tokens: input ?? null,
    output_tokens: output ?? null,
    dollars: costOfSpan(span, prices),
    error: error ?? null,
  };
}

/** Returns the cost of a model call. Spans do not say which tokens were cached, so all input tokens have the full price. */
function costOfSpan([, , kind, name, , , , inputTokens = 0, outputTokens = 0]: Span, prices: Prices): number | null {
  const price = kind === "model" ? priceOf(name, prices) : undefined;
  return price ? costOf({ inputTokens, cachedTokens: 0, outputTokens }, price) : null;
}
