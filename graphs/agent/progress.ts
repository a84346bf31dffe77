import type { LangGraphRunnableConfig } from "@langchain/langgraph";

/** Reports a step that a person wants to see, as a `custom` event of one shape for all patterns. */
export function report(
  config: LangGraphRunnableConfig,
  pattern: string,
  type: string,
  startedAt: number,
  details: Record<string, unknown> = {},
): void {
  config.writer?.({ type, pattern, ...details, elapsedMs: Date.now() - startedAt });
}
