import type { LangGraphRunnableConfig } from "@langchain/langgraph";

/** An item of a pattern that failed for good. */
export interface FailedItem {
  kind: "task" | "partition" | "message" | "compensation";
  /** The name of the item, unique among the items of this kind in the run. */
  item: string;
  /** The input of the run that redoes only this item. */
  input: unknown;
  /** Values for the context of that run. */
  context?: Record<string, unknown>;
  error: string | null;
  attempts: number;
}

/** Takes the failed items of a run. The service passes this object in the run's `configurable`. */
interface LetterBox {
  report(taskId: string, item: object): void;
}

/** The largest payload that a letter keeps, in characters. */
const mostCharacters = 64 * 1024 * 1024;

/**
 * Reports items that failed for good. The service keeps them as dead letters, like the package's function `reportDeadLetter`, which patterns
 * cannot import. Does nothing outside the service, and in a pattern that another graph runs. That graph decides what its failures mean.
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
