import type { LangGraphRunnableConfig } from "@langchain/langgraph";

/** Reports a step as a `custom` event, for people who watch the run. Events of all patterns have the same fields. */
export function report(
  { writer }: Pick<LangGraphRunnableConfig, "writer">,
  pattern: string,
  type: string,
  startedAt: number,
  details: Record<string, unknown> = {},
): void {
  writer?.({ type, pattern, ...details, elapsedMs: Date.now() - startedAt });
}
