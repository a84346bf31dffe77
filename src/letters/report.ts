import type { RunnableConfig } from "@langchain/core/runnables";
import { z } from "zod";
import { sealable } from "../db/sealable.ts";
import { type Sql, sql } from "../db/sql.ts";
import { ItemKind } from "./letter.ts";

/** The key of `configurable` under which nodes find the object that takes their reports of failed items. */
export const letterBoxKey = "__ensemble_letters";
/** LangGraph's own key of `configurable` for the id of the current task. */
const taskIdKey = "__pregel_task_id";

/** The size limit of a letter's payload, in characters of JSON. A larger payload is not stored, so its letter cannot be redriven. */
const mostPayloadBytes = 64 * 1024 * 1024;

/** The schema of a failed item that a node reports. */
const FailedItem = z.object({
  kind: ItemKind.default("task"),
  /** The name of the item. Two items of the same kind in one run must have different names. */
  item: z.string().min(1).max(1_000),
  /** The input of the run that repeats only this item. */
  input: z.unknown(),
  /**
   * Values that are added to the context of the run that repeats the item. They take precedence over the values that the current run has in
   * its context.
   */
  context: z.record(z.string(), z.unknown()).optional(),
  error: z.object({ type: z.string().default("Error"), message: z.string() }),
  attempts: z.number().int().min(1).default(1),
});

export type FailedItem = z.input<typeof FailedItem>;

/** A failed item in the form that is stored. */
export interface ReportedItem {
  kind: ItemKind;
  item: string;
  payload: string | null;
  error: string;
  attempts: number;
  node: string | null;
}

/** Takes the reports of failed items from a run's nodes. The worker puts this object into the run's `configurable`. */
export interface LetterBox {
  report(taskId: string, item: ReportedItem): void;
}

/**
 * Reports an item that failed for good, although the run continues. The item becomes a dead letter, which is stored together with the
 * writes of the node. If the node fails, nothing is reported. Outside an Ensemble run, the function does nothing.
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

/** Replaces the characters of a text that Postgres cannot store. */
const storable = (text: string) => text.replaceAll("\0", "\ufffd").toWellFormed();

/** A reported item with the id of its run, and with a copy of the run's request (`kwargs`) without the input, which the item has itself. */
export interface OwnedItem extends ReportedItem {
  runId: string;
  kwargs: string;
}

/**
 * Returns the `with` queries that store reported items. `holders` is the name of another query of the statement, which selects the runs
 * whose items may be stored. If the run itself redrives the letter of an item that failed earlier, no new letter is stored. That letter
 * then gets the new failure.
 */
export function storingItems(items: OwnedItem[], holders: Sql): Sql {
  const column = <Value>(of: (item: OwnedItem) => Value) => items.map(of);
  return sql`
    reported as (
      select reported.*, thread_id, graph_id, assistant_id, auth_user, letter_id
        from unnest(${column(({ runId }) => runId)}::uuid[], ${column(({ kind }) => kind)}::letter_kind[], ${column(({ item }) => item)}::text[],
                    ${column(({ payload }) => sealable("dead_letters.payload", payload))}::text[], ${column(({ error }) => sealable("dead_letters.error", error))}::text[], ${column(({ attempts }) => attempts)}::integer[],
                    ${column(({ node }) => node)}::text[], ${column(({ kwargs }) => sealable("dead_letters.kwargs", kwargs))}::text[])
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
