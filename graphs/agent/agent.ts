import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { BaseMessage } from "@langchain/core/messages";
import type { StructuredToolInterface } from "@langchain/core/tools";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { AgentMiddleware } from "langchain";
import { z } from "zod";
import { AgentData } from "./schema.ts";

/** An agent, made from data or from code. The function `agent` makes one. */
export interface Agent extends Omit<AgentData, "model" | "tools" | "output"> {
  /** The name of a model, or a chat model. Without it, the agent uses the model of the run's context. */
  model?: string | BaseChatModel;
  /** Tools, and names of tools that the project or the patterns define. */
  tools: (string | StructuredToolInterface)[];
  /** The schema of the agent's result. Without it, the result is text. */
  output?: z.ZodType;
  /** LangChain middleware. It runs inside the agent's own hooks, around each model call and tool call. */
  middleware: readonly AgentMiddleware[];
  /** A compiled graph that does the agent's work. Then the agent itself calls no model. */
  graph?: Workable;
}

/** A compiled graph whose state has `messages`, or the result of LangChain's `createAgent`. */
export interface Workable {
  invoke(input: { messages: BaseMessage[] }, config?: LangGraphRunnableConfig): Promise<unknown>;
}

/**
 * The options of `agent`. They are the fields of `AgentData`, and the options that exist only in code: chat models, tools and middleware.
 */
export interface AgentOptions extends Omit<z.input<typeof AgentData>, "model" | "tools" | "output"> {
  /** A model as `provider:model`, or a chat model. */
  model?: string | BaseChatModel;
  /** Tools of your own, and names of tools that the project or the patterns define. */
  tools?: (string | StructuredToolInterface)[];
  /** The schema of the agent's result, as a zod schema of any version or a JSON schema. */
  output?: z.ZodType | OtherZod | Record<string, unknown>;
  /** LangChain middleware, as `createAgent` takes it. */
  middleware?: readonly AgentMiddleware[];
}

/** A zod schema of another version or from another copy of the package, such as zod 3. */
interface OtherZod {
  safeParse(value: unknown): unknown;
}

/** The forms in which a pattern's options accept an agent: an agent, the options of one, or a graph that does its work. */
export type Member = Agent | AgentOptions | Workable;

/** Returns an agent. Throws when an option is wrong or misspelt. */
export function agent(options: AgentOptions): Agent {
  const { model, tools = [], output, middleware = [], ...data } = options;
  const names = tools.filter((tool) => typeof tool === "string");
  const { tools: _, ...parsed } = AgentData.parse({ ...data, tools: names, ...(typeof model === "string" && { model }) });
  return { ...parsed, model, tools, output: asZod(output), middleware };
}

/** Returns an agent whose work the given graph does. */
export function graphAgent(graph: Workable & { name?: string; description?: string }): Agent {
  const { name = "graph", description } = graph;
  return { ...agent({ name, role: description ?? name }), description, graph };
}

/** Returns the agent for any of the forms of `Member`. */
export function asAgent(member: Member): Agent {
  if (isWorkable(member)) return graphAgent(member);
  return "middleware" in member && Array.isArray(member.middleware) && "errandSeconds" in member
    ? (member as Agent)
    : agent(member as AgentOptions);
}

/** Returns the agent that parsed data describes. */
export function fromData({ output, ...data }: AgentData): Agent {
  return { ...data, output: asZod(output), middleware: [] };
}

const isWorkable = (member: object): member is Workable => "invoke" in member && typeof member.invoke === "function";

/** Tells whether a schema is one of zod, of any version and from any copy of the package. */
const isZod = (output: object): output is z.ZodType => "safeParse" in output;

function asZod(output: AgentOptions["output"]): z.ZodType | undefined {
  if (output === undefined || isZod(output)) return output;
  return z.fromJSONSchema(output as Parameters<typeof z.fromJSONSchema>[0]);
}
