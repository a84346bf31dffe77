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
  /** The schema of the run's context, which callers can read. */
  context?: z.ZodObject;
  /** Returns the agent and its limits for a run with this context. */
  runOf: (context: unknown) => AgentRun;
  /** LangChain middleware. It runs between the agent's two own hooks, around each model call and tool call. */
  middleware?: readonly AgentMiddleware[];
}

const Whole = new StateSchema({ messages: MessagesValue, ...AgentState.fields });

/**
 * The compiled graph of an agent. Its type is written out here, because TypeScript cannot put the type that `createAgent` returns into a
 * declaration file.
 */
export type AgentGraph = CompiledStateGraph<typeof Whole.State, typeof Whole.Update, string, typeof Whole, typeof Whole>;

/**
 * Builds the graph of an agent with LangChain's `createAgent`. The agent's model, tools and limits are not fixed here. They are read
 * from the context of each run.
 */
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
  // LangChain accepts every field of the state as input, but callers of an agent may send only `messages`.
  Object.assign(graph.builder, { _inputRuntimeDefinition: closed({ messages: messagesInput("The conversation") }) });
  return graph.withConfig({ recursionLimit: mostSuperSteps }) as unknown as AgentGraph;
}

/** Returns the parts of a run's config that tools and models need from us. LangChain passes on the other parts itself. */
const configOf = ({ signal, writer, configurable }: object & LangGraphRunnableConfig): LangGraphRunnableConfig => ({
  signal,
  writer,
  configurable,
});

/** A placeholder for the model. `createAgent` requires a model before the run is known, and the hooks replace it in each call. */
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
