import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { BaseMessage } from "@langchain/core/messages";
import type { LLMResult } from "@langchain/core/outputs";
import type { Context, Tracer } from "@opentelemetry/api";
import { modelAnswer, modelRequest } from "./model-attributes.ts";
import { createSpanTree } from "./span-tree.ts";

interface Metadata {
  langgraph_node?: string;
  langgraph_step?: number;
  [key: string]: unknown;
}

/** Returns a LangChain callback handler that creates spans. LangChain awaits it, so that times and parents of spans are right. */
export function createHandler(tracer: Tracer, run: Context, withContent: boolean): BaseCallbackHandler {
  const tree = createSpanTree(tracer, run);

  const onModelStart = (prompts: unknown, runId: string, parentRunId: string | undefined, extra: unknown, metadata: unknown) => {
    const { name, attributes } = modelRequest(prompts, extra, metadata, withContent);
    tree.start(runId, parentRunId, { name, attributes, isCall: true });
  };

  class TracingHandler extends BaseCallbackHandler {
    name = "ensemble-tracing";
    override awaitHandlers = true;

    // The fourth argument is the parent's run id, although the library's types name it differently.
    override handleChainStart(_: unknown, __: unknown, runId: string, parentRunId?: string, tags: string[] = [], metadata: Metadata = {}) {
      const { langgraph_node: node, langgraph_step: step } = metadata;
      const isNode = node !== undefined && step !== undefined && tags.includes(`graph:step:${step}`) && !tags.includes("langsmith:hidden");
      if (isNode) tree.startNode(runId, parentRunId, node, step);
      else tree.pass(runId, parentRunId);
    }
    override handleChainEnd(_: unknown, runId: string) {
      tree.end(runId);
    }
    override handleChainError(error: unknown, runId: string) {
      tree.fail(runId, error);
    }

    override handleChatModelStart(
      _: unknown,
      messages: BaseMessage[][],
      runId: string,
      parentRunId?: string,
      extra?: unknown,
      __?: unknown,
      metadata?: unknown,
    ) {
      onModelStart(messages, runId, parentRunId, extra, metadata);
    }
    override handleLLMStart(
      _: unknown,
      prompts: string[],
      runId: string,
      parentRunId?: string,
      extra?: unknown,
      __?: unknown,
      metadata?: unknown,
    ) {
      onModelStart(prompts, runId, parentRunId, extra, metadata);
    }
    override handleLLMEnd(output: LLMResult, runId: string) {
      tree.end(runId, modelAnswer(output, withContent));
    }
    override handleLLMError(error: unknown, runId: string) {
      tree.fail(runId, error);
    }

    override handleToolStart(
      _: unknown,
      input: string,
      runId: string,
      parentRunId?: string,
      __?: unknown,
      ___?: unknown,
      toolName = "tool",
      toolCallId?: string,
    ) {
      const attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": toolName,
        ...(toolCallId && { "gen_ai.tool.call.id": toolCallId }),
        ...(withContent && { "gen_ai.tool.call.arguments": input }),
      };
      tree.start(runId, parentRunId, { name: `execute_tool ${toolName}`, attributes, isCall: false });
    }
    override handleToolEnd(output: unknown, runId: string) {
      tree.end(runId, withContent ? { "gen_ai.tool.call.result": typeof output === "string" ? output : JSON.stringify(output) } : {});
    }
    override handleToolError(error: unknown, runId: string) {
      tree.fail(runId, error);
    }
  }
  return new TracingHandler();
}
