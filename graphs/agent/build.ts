import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { type CompiledStateGraph, type LangGraphRunnableConfig, MessagesValue, StateSchema } from "@langchain/langgraph";
import { type AgentMiddleware, createAgent, createMiddleware } from "langchain";
import type { z } from "zod";
import { act } from "./act.ts";
import type { AgentRun } from "./agent-run.ts";
import { AgentState } from "./agent-state.ts";
import { closed } from "./closed.ts";
import { mostSuperSteps } from "./context.ts";
import { messagesInput } from "./task.ts";
import { speak, think } from "./think.ts";

interface Building {
  name: string;
  description?: string;
  /** The schema of the context, for callers. */
  context?: z.ZodObject;
  /** Reads the agent of a run from its context. */
  runOf: (context: unknown) => AgentRun;
  /** LangChain middleware. It stands between the agent's own hooks and the model or the tool. */
  middleware?: readonly AgentMiddleware[];
}

const Whole = new StateSchema({ messages: MessagesValue, ...AgentState.fields });

/** The compiled graph of an agent. Its published type names no type of createAgent, which TypeScript cannot write down. */
export type AgentGraph = CompiledStateGraph<typeof Whole.State, typeof Whole.Update, string, typeof Whole, typeof Whole>;

/** Builds the graph of an agent on LangChain's `createAgent`. The agent's model, tools and limits are read when it runs. */
export function buildAgent({ name, description, context, runOf, middleware = [] }: Building): AgentGraph {
  const outer = createMiddleware({
    name: "agent",
    stateSchema: AgentState,
    wrapModelCall: (request, handler) =>
      think(runOf(request.runtime.context), request.state as never, request as never, handler as never) as never,
    wrapToolCall: (request, handler) =>
      act(runOf(request.runtime.context), request as never, handler as never, configOf(request.runtime as never)),
  });
  const inner = createMiddleware({
    name: "model",
    wrapModelCall: (request) => speak(runOf(request.runtime.context), request as never, configOf(request.runtime as never)),
  });
  const { graph } = createAgent({
    model: new NoModel({}),
    tools: [],
    name,
    ...(description && { description }),
    ...(context && { contextSchema: context }),
    middleware: [outer, ...middleware, inner],
  });
  // LangChain lets callers give every field of the state.
  Object.assign(graph.builder, { _inputRuntimeDefinition: closed({ messages: messagesInput("The conversation") }) });
  return graph.withConfig({ recursionLimit: mostSuperSteps }) as unknown as AgentGraph;
}

/** Returns the parts of a run's config that tools and models need. LangChain passes the others by itself. */
const configOf = ({ signal, writer, configurable }: object & LangGraphRunnableConfig): LangGraphRunnableConfig => ({
  signal,
  writer,
  configurable,
});

/** Stands where `createAgent` wants a model before the run is known. The hooks replace it for each call. */
class NoModel extends BaseChatModel {
  _llmType(): string {
    return "none";
  }

  override bindTools(): this {
    return this;
  }

  async _generate(): Promise<never> {
    throw new Error("The agent's model was not set.");
  }
}
