import { CallbackManager } from "@langchain/core/callbacks/manager";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";

/**
 * Returns a config under which a graph's messages do not reach those who follow the run's messages. The tag `nostream` hides the tokens of
 * models, but not the messages that the graph's nodes return. Its updates, its events and its traces stay visible.
 */
export function muted(config: LangGraphRunnableConfig): LangGraphRunnableConfig {
  if (!(config.callbacks instanceof CallbackManager)) return config;
  const callbacks = config.callbacks.copy();
  for (const handler of callbacks.handlers.filter(({ name }) => telling.includes(name))) callbacks.removeHandler(handler);
  return { ...config, callbacks };
}

/** LangGraph's handlers for the stream mode `messages`. */
const telling = ["StreamMessagesHandler", "StreamProtocolMessagesHandler"];
