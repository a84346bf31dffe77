import type { AIMessage, BaseMessageLike } from "@langchain/core/messages";
import type { StructuredToolInterface } from "@langchain/core/tools";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { ChatOpenAI } from "@langchain/openai";
import { answererOf } from "./ask-model.ts";
import type { Budget } from "./context.ts";
import { costOf, type LedgerEntry } from "./ledger.ts";

export interface ChatCall {
  caller: string;
  model: string;
  temperature?: number;
  messages: BaseMessageLike[];
  tools?: StructuredToolInterface[];
  timeoutSeconds: number;
  budget: Budget;
}

/** Runs one turn of a conversation. Returns the model's message, which is streamed as it arrives, and its ledger entry. */
export async function chat(call: ChatCall, config: LangGraphRunnableConfig): Promise<{ reply: AIMessage; entry: LedgerEntry }> {
  const { caller, model, temperature, messages, tools = [], timeoutSeconds, budget } = call;
  const started = Date.now();
  const timeout = AbortSignal.timeout(Math.ceil(timeoutSeconds * 1000));
  const signal = config.signal ? AbortSignal.any([config.signal, timeout]) : timeout;
  const speaker = new ChatOpenAI({ model, temperature, maxRetries: 2, streamUsage: true });
  const bound = tools.length > 0 ? speaker.bindTools(tools) : speaker;
  const reply = await bound.invoke(messages, { ...config, signal }).catch((error) => {
    if (timeout.aborted) throw new Error(`The model did not answer within ${timeoutSeconds} s.`);
    throw error;
  });
  const { input_tokens: inputTokens = 0, output_tokens: outputTokens = 0 } = reply.usage_metadata ?? {};
  const answered = answererOf(reply);
  const entry: LedgerEntry = {
    agent: caller,
    task: "answer",
    model: answered ?? model,
    at: new Date(started).toISOString(),
    elapsedMs: Date.now() - started,
    attempts: 1,
    outcome: "success",
    inputTokens,
    outputTokens,
    dollars: costOf({ asked: model, answered }, inputTokens, outputTokens, budget),
  };
  return { reply, entry };
}
