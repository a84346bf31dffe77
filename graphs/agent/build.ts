import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { BaseMessage } from "@langchain/core/messages";
import type { Runnable } from "@langchain/core/runnables";
import {
  type CompiledStateGraph,
  END,
  type LangGraphRunnableConfig,
  MessagesValue,
  type StateGraph,
  StateSchema,
} from "@langchain/langgraph";
import { type AgentMiddleware, createAgent, createMiddleware } from "langchain";
import type { z } from "zod";
import { act } from "./act.ts";
import type { AgentRun } from "./agent-run.ts";
import { AgentState } from "./agent-state.ts";
import { approve, hasSeveral } from "./approve.ts";
import { closed } from "./closed.ts";
import { mostSuperSteps } from "./context.ts";
import { fail, failing, orFail } from "./failing.ts";
import { messagesInput } from "./task.ts";
import { isNewTurn, speak, think } from "./think.ts";

interface Building {
  name: string;
  description?: string;
  /** The schema of the run's context. The service shows this schema to callers. */
  context?: z.ZodObject;
  /** Called with the context of a run. Returns the agent for this run, with its settings and limits. */
  runOf: (context: unknown) => AgentRun;
  /**
   * LangChain middleware. Around a model call, it runs between the agent's hooks `think` and `speak`. Around a tool call, it runs inside
   * the agent's hook `act`.
   */
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
  const { graph: built } = createAgent({
    model: new NoModel({}),
    tools: [],
    name,
    ...(description && { description }),
    ...(context && { contextSchema: context }),
    middleware: [outer, ...middleware, inner],
  });
  const graph = extended(built as never, { name, description, runOf });
  // LangChain accepts every field of the state as input. This line restricts the input of an agent to `messages`.
  Object.assign(graph.builder, { _inputRuntimeDefinition: closed({ messages: messagesInput("The conversation") }) });
  return graph.withConfig({ recursionLimit: mostSuperSteps }) as unknown as AgentGraph;
}

/** LangChain's name of the node that calls the model. */
const modelNode = "model_request";

/**
 * Returns the graph with two additional nodes. `approve` asks one question about several tool calls. `fail` ends the run after a failed
 * model call has been stored in the ledger. LangChain has already added the node that calls the model. This function replaces that node and
 * the edges that leave it.
 */
function extended({ builder, config }: AgentGraph, { name, description, runOf }: Pick<Building, "name" | "description" | "runOf">) {
  const { nodes, branches, edges } = builder as unknown as Parts;
  const { runnable } = nodes[modelNode] as Parts["nodes"][string];
  const ways = Object.values(branches[modelNode] ?? {});
  const straight = [...edges].filter(([from]) => from === modelNode);
  builder.compiled = false; // otherwise LangGraph would warn that changes have no effect, but this graph is compiled again
  delete nodes[modelNode];
  delete branches[modelNode];
  for (const edge of straight) edges.delete(edge);
  const begins = (state: unknown) => isNewTurn((state as { messages: BaseMessage[] }).messages);
  const next = async (state: object, config: LangGraphRunnableConfig) => [
    ...(await Promise.all(ways.map(({ path }) => path.invoke(state, config)))).flat(),
    ...straight.map(([, to]) => to),
  ];
  const decided = (state: object, config: LangGraphRunnableConfig) => (hasSeveral(state as never) ? "approve" : next(state, config));
  const ends = [...ways.flatMap(({ ends }) => Object.values(ends)), ...straight.map(([, to]) => to)];
  return (builder as unknown as StateGraph<typeof Whole>)
    .addNode(
      modelNode,
      failing((state: object, config: LangGraphRunnableConfig) => runnable.invoke(state, config), { begins }),
    )
    .addNode("approve", (state, { context }) => approve(runOf(context), state as never))
    .addNode("fail", fail, { ends: [END] })
    .addConditionalEdges(modelNode, orFail(decided), [...ends, "approve", "fail"] as never)
    .addConditionalEdges("approve", next, ends as never)
    .compile({ name, description })
    .withConfig(config ?? {}) as unknown as AgentGraph;
}

/** The parts of LangGraph's graph builder (`graph.builder`) that LangGraph's types hide. */
interface Parts {
  nodes: Record<string, { runnable: Runnable }>;
  branches: Record<string, Record<string, { path: Runnable; ends: Record<string, string> }>>;
  edges: Set<[from: string, to: string]>;
}

/** Returns the parts of a run's config that our tools and models need from us. LangChain itself gives them the other parts. */
const configOf = ({ signal, writer, configurable }: object & LangGraphRunnableConfig): LangGraphRunnableConfig => ({
  signal,
  writer,
  configurable,
});

/** A placeholder for the model. `createAgent` requires a model before the run is known. The agent's hooks replace it in each call. */
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
