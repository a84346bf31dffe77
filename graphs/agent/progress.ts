import type { LangGraphRunnableConfig } from "@langchain/langgraph";

/** Reports a step as a `custom` event, for a person who watches the run. The events of all patterns have the same fields. */
export function report(
  { writer }: Pick<LangGraphRunnableConfig, "writer">,
  pattern: string,
  type: string,
  startedAt: number,
  details: Record<string, unknown> = {},
): void {
  writer?.({ type, pattern, ...details, elapsedMs: Date.now() - startedAt });
}
