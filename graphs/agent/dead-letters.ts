import type { LangGraphRunnableConfig } from "@langchain/langgraph";

/** A part of a pattern's work that has failed for good. */
export interface FailedItem {
  kind: "task" | "partition" | "message" | "compensation";
  /** The name of the item. It is unique among the items of this kind in the run. */
  item: string;
  /** The input for a new run that repeats only the work of this item. */
  input: unknown;
  /** The context fields for a new run that repeats only the work of this item. */
  context?: Record<string, unknown>;
  error: string | null;
  attempts: number;
}

/** Receives the failed items of a run and stores them as dead letters. The service passes this object in the run's `configurable`. */
interface LetterBox {
  report(taskId: string, item: object): void;
}

/** The size limit of a dead letter's payload, in characters. A larger payload is not stored. */
const mostCharacters = 64 * 1024 * 1024;

/**
 * Reports items that failed for good. The service stores the items as dead letters. Patterns use this function, because they cannot import
 * the package's function `reportDeadLetter`. Does nothing outside the service. Does nothing if another graph runs the pattern, because that
 * graph decides how to handle the failures.
 */
export function reportFailedItems({ configurable = {}, metadata = {} }: LangGraphRunnableConfig, failed: FailedItem[]): void {
  const box = configurable.__ensemble_letters as LetterBox | undefined;
  const taskId = configurable.__pregel_task_id;
  if (!box || typeof taskId !== "string" || String(configurable.checkpoint_ns ?? "").includes("|")) return;
  for (const { kind, item, input, context, error, attempts } of failed) {
    const payload = JSON.stringify({ input, ...(context && { context }) });
    box.report(taskId, {
      ...{ kind, item: item.replaceAll("\0", "\ufffd").toWellFormed(), attempts: Math.max(1, attempts) },
      payload: payload.length > mostCharacters ? null : payload,
      error: JSON.stringify({ error: "Error", message: error ?? "It failed." }),
      node: typeof metadata.langgraph_node === "string" ? metadata.langgraph_node : null,
    });
  }
}
