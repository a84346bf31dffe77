import type { AIMessage, BaseMessage } from "@langchain/core/messages";

/** The token usage of one call, including its retries. */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
  /** Input tokens that the endpoint had cached. They cost less than other input tokens. */
  cachedTokens?: number;
  /** The name of the model that answered, from the endpoint's response. */
  answered?: string;
  /** True if the endpoint reported no usage. The tokens are then estimated from the number of characters. */
  isEstimated?: true;
}

const charactersPerToken = 4;

/** Returns the token usage of one answer. If the endpoint reports none, the usage is estimated. */
export function usageOf(message: AIMessage, prompt: BaseMessage[]): Usage {
  const { usage_metadata: reported, response_metadata: metadata } = message;
  const answered = typeof metadata.model_name === "string" ? { answered: metadata.model_name } : {};
  const { input_tokens: inputTokens = 0, output_tokens: outputTokens = 0, input_token_details: details } = reported ?? {};
  if (inputTokens + outputTokens === 0) {
    return { inputTokens: tokensOf(prompt), outputTokens: tokensOf([message]), isEstimated: true, ...answered };
  }
  const cached = details?.cache_read ?? 0;
  return { inputTokens, outputTokens, ...(cached > 0 && { cachedTokens: cached }), ...answered };
}

/** Adds the usage of a retry to the sum. */
export function addUsage(sum: Usage, more: Usage): void {
  sum.inputTokens += more.inputTokens;
  sum.outputTokens += more.outputTokens;
  if (more.cachedTokens) sum.cachedTokens = (sum.cachedTokens ?? 0) + more.cachedTokens;
  if (more.answered) sum.answered = more.answered;
  if (more.isEstimated) sum.isEstimated = true;
}

/** Estimates the tokens of messages from the number of their characters. */
export function tokensOf(messages: BaseMessage[]): number {
  const characters = messages.reduce(
    (sum, message) => sum + message.text.length + JSON.stringify(Object(message).tool_calls ?? "").length,
    0,
  );
  return Math.ceil(characters / charactersPerToken);
}
