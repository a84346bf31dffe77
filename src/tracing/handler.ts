import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { BaseMessage } from "@langchain/core/messages";
import type { LLMResult } from "@langchain/core/outputs";
import type { Context, Tracer } from "@opentelemetry/api";
import { modelAnswer, modelRequest } from "./model-attributes.ts";
import { createSpanTree, type SpanTree } from "./span-tree.ts";

interface Metadata {
  langgraph_node?: string;
  langgraph_step?: number;
  [key: string]: unknown;
}

/**
 * Returns a LangChain callback handler for one call of a graph. The handler creates spans for the parts of the call, as children of the
 * run's span.
 */
export function createHandler(tracer: Tracer, run: Context, withContent: boolean): BaseCallbackHandler {
  return new TracingHandler({ tree: createSpanTree(tracer, run), withContent });
}

/** The handler that creates the spans. LangChain awaits each of its methods, so that the spans have the right times and parents. */
class TracingHandler extends BaseCallbackHandler {
  name = "ensemble-tracing";
  override awaitHandlers = true;
  // LangChain copies a handler by passing it to the constructor of its class. The constructor reads these two fields from the given
  // handler, so they are public.
  readonly tree: SpanTree;
  readonly withContent: boolean;

  constructor({ tree, withContent }: { tree: SpanTree; withContent: boolean }) {
    super();
    this.tree = tree;
    this.withContent = withContent;
  }

  // The fourth argument is the id of the parent's run, although the library's types give this argument another name.
  override handleChainStart(_: unknown, __: unknown, runId: string, parentRunId?: string, tags: string[] = [], metadata: Metadata = {}) {
    const { langgraph_node: node, langgraph_step: step } = metadata;
    const isNode = node !== undefined && step !== undefined && tags.includes(`graph:step:${step}`) && !tags.includes("langsmith:hidden");
    if (isNode) this.tree.startNode(runId, parentRunId, node, step);
    else this.tree.pass(runId, parentRunId);
  }
  override handleChainEnd(_: unknown, runId: string) {
    this.tree.end(runId);
  }
  override handleChainError(error: unknown, runId: string) {
    this.tree.fail(runId, error);
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
    this.#startModel(messages, runId, parentRunId, extra, metadata);
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
    this.#startModel(prompts, runId, parentRunId, extra, metadata);
  }
  override handleLLMEnd(output: LLMResult, runId: string) {
    this.tree.end(runId, modelAnswer(output, this.withContent));
  }
  override handleLLMError(error: unknown, runId: string) {
    this.tree.fail(runId, error);
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
      ...(this.withContent && { "gen_ai.tool.call.arguments": input }),
    };
    this.tree.start(runId, parentRunId, { name: `execute_tool ${toolName}`, attributes, isCall: false });
  }
  override handleToolEnd(output: unknown, runId: string) {
    this.tree.end(
      runId,
      this.withContent ? { "gen_ai.tool.call.result": typeof output === "string" ? output : JSON.stringify(output) } : {},
    );
  }
  override handleToolError(error: unknown, runId: string) {
    this.tree.fail(runId, error);
  }

  #startModel(prompts: unknown, runId: string, parentRunId: string | undefined, extra: unknown, metadata: unknown): void {
    const { name, attributes } = modelRequest(prompts, extra, metadata, this.withContent);
    this.tree.start(runId, parentRunId, { name, attributes, isCall: true });
  }
}
