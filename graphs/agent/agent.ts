import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { BaseMessage } from "@langchain/core/messages";
import type { StructuredToolInterface } from "@langchain/core/tools";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { AgentMiddleware } from "langchain";
import { z } from "zod";
import { closed } from "./closed.ts";
import { type Guarding, type GuardrailsInCode, guardrailsFrom } from "./guards/in-code.ts";
import { ownSources, type Source, type SourceInput } from "./knowledge/schema.ts";
import { type AgentData, agentFields } from "./schema.ts";

/** An agent. Call `agent` to make one from options in code, or `fromData` to make one from data. */
export interface Agent extends Omit<AgentData, "model" | "tools" | "output" | "guardrails" | "knowledge"> {
  /** The name of a model, or a chat model. Undefined means that the agent uses the model of the run's context. */
  model?: string | BaseChatModel;
  /** The agent's own tools, and the names of tools that the project or the patterns define. */
  tools: (string | StructuredToolInterface)[];
  /** The schema of the agent's result. Undefined means that the result is text. */
  output?: z.ZodType;
  /** The checks of the agent's input, of its answer and of its tools. */
  guardrails?: Guarding;
  /** The sources of knowledge. The agent reads matching passages before it begins its task. */
  knowledge?: Source[];
  /**
   * LangChain middleware. It runs around each model call and tool call. The agent's own hooks `think` and `act` run around this middleware.
   */
  middleware: readonly AgentMiddleware[];
  /** A compiled graph that does the work of the agent. An agent with a graph calls no model itself. */
  graph?: Workable;
}

/** A compiled graph whose state has `messages`, or the result of LangChain's `createAgent`. */
export interface Workable {
  invoke(input: { messages: BaseMessage[] }, config?: LangGraphRunnableConfig): Promise<unknown>;
  /** Streams the state of the graph. If this method is missing and the graph fails, the ledger lacks the model calls before the failure. */
  stream?(input: { messages: BaseMessage[] }, config?: LangGraphRunnableConfig & { streamMode: "values" }): Promise<AsyncIterable<unknown>>;
}

/** The options of `agent`. They are the fields of `AgentData`, and those that exist only in code: chat models, tools and middleware. */
export interface AgentOptions extends Omit<z.input<typeof AgentData>, "model" | "tools" | "output" | "guardrails" | "knowledge"> {
  /** A model, as a name `provider:model` or as a chat model. */
  model?: string | BaseChatModel;
  /** Tools of your own, and names of tools that the project or the patterns define. */
  tools?: (string | StructuredToolInterface)[];
  /** The schema of the agent's result, as a zod schema of any version or a JSON schema. */
  output?: z.ZodType | OtherZod | Record<string, unknown>;
  /** Checks of the agent's input, of its answer and of its tools. Each check is a plain object or a function. */
  guardrails?: GuardrailsInCode;
  /** Sources of knowledge. In code, they may name any file and any namespace of the store. */
  knowledge?: SourceInput[];
  /** LangChain middleware, as `createAgent` takes it. */
  middleware?: readonly AgentMiddleware[];
}

/** A zod schema of another version, such as zod 3, or from another copy of the package. */
interface OtherZod {
  safeParse(value: unknown): unknown;
}

/** The forms in which a pattern accepts an agent: an `Agent`, the options of an agent, or a graph that does the agent's work. */
export type Member = Agent | AgentOptions | Workable;

const Options = closed(agentFields);

/** Returns an agent. Throws if an option is unknown or invalid. */
export function agent(options: AgentOptions): Agent {
  const { model, tools = [], output, middleware = [], guardrails, knowledge, ...data } = options;
  const names = tools.filter((tool) => typeof tool === "string");
  const { tools: _, ...parsed } = Options.parse({ ...data, tools: names, ...(typeof model === "string" && { model }) });
  const own = { guardrails: guardrails && guardrailsFrom(guardrails), knowledge: knowledge && ownSources(knowledge) };
  return { ...parsed, model, tools, output: asZod(output), middleware, ...own };
}

/** Returns an agent that lets this graph do its work. */
export function graphAgent(graph: Workable & { name?: string; description?: string }): Agent {
  const { name = "graph", description } = graph;
  return { ...agent({ name, role: description ?? name }), description, graph };
}

/** Returns the agent for any form that `Member` allows. */
export function asAgent(member: Member): Agent {
  if (isWorkable(member)) return graphAgent(member);
  return "middleware" in member && Array.isArray(member.middleware) && "errandSeconds" in member
    ? (member as Agent)
    : agent(member as AgentOptions);
}

/** Creates an agent from its data, which is already validated. */
export function fromData({ output, ...data }: AgentData): Agent {
  return { ...data, output: asZod(output), middleware: [] };
}

const isWorkable = (member: object): member is Workable => "invoke" in member && typeof member.invoke === "function";

/** Tells whether a schema comes from zod, from any version or copy of the library. */
const isZod = (output: object): output is z.ZodType => "safeParse" in output;

function asZod(output: AgentOptions["output"]): z.ZodType | undefined {
  if (output === undefined || isZod(output)) return output;
  return z.fromJSONSchema(output as Parameters<typeof z.fromJSONSchema>[0]);
}
