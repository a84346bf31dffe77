import { CallbackManager } from "@langchain/core/callbacks/manager";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";

/**
 * Returns a config that hides a graph's messages from clients that stream messages. The tag `nostream` is not enough, because it hides the
 * tokens of models but not the messages that nodes return. Updates, events and traces stay visible.
 */
export function muted(config: LangGraphRunnableConfig): LangGraphRunnableConfig {
  if (!(config.callbacks instanceof CallbackManager)) return config;
  const callbacks = config.callbacks.copy();
  for (const handler of callbacks.handlers.filter(({ name }) => telling.includes(name))) callbacks.removeHandler(handler);
  return { ...config, callbacks };
}

/** The names of LangGraph's callback handlers for the stream mode `messages`. */
const telling = ["StreamMessagesHandler", "StreamProtocolMessagesHandler"];
