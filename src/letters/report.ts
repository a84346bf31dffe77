import type { RunnableConfig } from "@langchain/core/runnables";
import { z } from "zod";
import { type Sql, sql } from "../db/sql.ts";
import { ItemKind } from "./letter.ts";

/** The key of `configurable` under which a run's nodes find the function that reports failed items. */
export const letterBoxKey = "__ensemble_letters";
/** LangGraph's own key for the id of the task to which a config belongs. */
const taskIdKey = "__pregel_task_id";

/** The largest payload that a letter keeps. The letter of a larger one cannot be redriven. */
const mostPayloadBytes = 64 * 1024 * 1024;

/** The schema of a failed item. */
const FailedItem = z.object({
  kind: ItemKind.default("task"),
  /** The name of the item, unique among the items of this kind in the run. */
  item: z.string().min(1).max(1_000),
  /** The input of the run that redoes only this item. */
  input: z.unknown(),
  /** Values for the context of that run. They replace those of this run. */
  context: z.record(z.string(), z.unknown()).optional(),
  error: z.object({ type: z.string().default("Error"), message: z.string() }),
  attempts: z.number().int().min(1).default(1),
});

export type FailedItem = z.input<typeof FailedItem>;

/** A failed item as it is stored. */
export interface ReportedItem {
  kind: ItemKind;
  item: string;
  payload: string | null;
  error: string;
  attempts: number;
  node: string | null;
}

/** Takes the reports of a run's nodes. The worker puts this object into the run's `configurable`. */
export interface LetterBox {
  report(taskId: string, item: ReportedItem): void;
}

/**
 * Reports an item that failed for good, although the run goes on. The item becomes a dead letter, which is stored together with the writes
 * of the node. If the node fails, nothing is reported. Outside an Ensemble run, the function does nothing.
 */
export function reportDeadLetter({ configurable = {}, metadata = {} }: RunnableConfig, failed: FailedItem): void {
  const box: LetterBox | undefined = configurable[letterBoxKey];
  const taskId: unknown = configurable[taskIdKey];
  const { kind, item, input, context, error, attempts } = FailedItem.parse(failed);
  if (!box) return;
  if (typeof taskId !== "string") throw new Error("reportDeadLetter was called outside a node: pass the config that the node received.");
  const payload = JSON.stringify({ input: input ?? null, ...(context && { context }) });
  box.report(taskId, {
    ...{ kind, item: storable(item), attempts, error: JSON.stringify({ error: error.type, message: error.message }) },
    payload: payload.length > mostPayloadBytes ? null : payload,
    node: typeof metadata.langgraph_node === "string" ? metadata.langgraph_node : null,
  });
}

/** Replaces the characters that Postgres cannot store in a text. */
const storable = (text: string) => text.replaceAll("\0", "\ufffd").toWellFormed();

/** A reported item, its run, and the run's request without its input. */
export interface OwnedItem extends ReportedItem {
  runId: string;
  kwargs: string;
}

/**
 * Returns the `with` queries that store reported items. `holders` is a query of the same statement that selects the runs whose items may be
 * stored. If the run redrives the letter of an item, no new letter is stored. The letter then notes that the item has failed again.
 */
export function storingItems(items: OwnedItem[], holders: Sql): Sql {
  const column = <Value>(of: (item: OwnedItem) => Value) => items.map(of);
  return sql`
    reported as (
      select reported.*, thread_id, graph_id, assistant_id, auth_user, letter_id
        from unnest(${column(({ runId }) => runId)}::uuid[], ${column(({ kind }) => kind)}::letter_kind[], ${column(({ item }) => item)}::text[],
                    ${column(({ payload }) => payload)}::text[], ${column(({ error }) => error)}::text[], ${column(({ attempts }) => attempts)}::integer[],
                    ${column(({ node }) => node)}::text[], ${column(({ kwargs }) => kwargs)}::text[])
          as reported (run_id, kind, item, payload, error, attempts, node, kwargs)
        join runs using (run_id)
       where run_id in (select run_id from ${holders})),
    failed_again as (
      update dead_letters set failure = reported.error::json
        from reported
       where dead_letters.letter_id = reported.letter_id and dead_letters.kind <> 'run' and dead_letters.state = 'redriving'),
    stored_items as (
      insert into dead_letters (letter_id, kind, run_id, thread_id, graph_id, assistant_id, node, item, payload, kwargs, error, attempts,
                                owner, metadata, auth_user)
      select gen_random_uuid(), kind, run_id, thread_id, graph_id, assistant_id, node, item, payload::json, kwargs::json, error::json, attempts,
             searchable(auth_user) ->> 'identity', threads.metadata, auth_user
        from reported join threads using (thread_id)
       where not exists (select from dead_letters known where known.letter_id = reported.letter_id and known.kind <> 'run')
          on conflict do nothing)`;
}
