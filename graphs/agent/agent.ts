import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { BaseMessage } from "@langchain/core/messages";
import type { StructuredToolInterface } from "@langchain/core/tools";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { AgentMiddleware } from "langchain";
import { z } from "zod";
import { AgentData } from "./schema.ts";

/** An agent, from data or from code. `agent` makes one. */
export interface Agent extends Omit<AgentData, "model" | "tools" | "output"> {
  /** A model's name, or a chat model. Without it the context's model is used. */
  model?: string | BaseChatModel;
  /** Names of tools, and tools. */
  tools: (string | StructuredToolInterface)[];
  /** The schema of the result. Without it the result is a text. */
  output?: z.ZodType;
  /** LangChain middleware, around the agent's own. */
  middleware: readonly AgentMiddleware[];
  /** A compiled graph that works in the agent's place. */
  graph?: Workable;
}

/** A compiled graph with messages, or what `createAgent` returns. */
export interface Workable {
  invoke(input: { messages: BaseMessage[] }, config?: LangGraphRunnableConfig): Promise<unknown>;
}

/** The options of `agent`: those of an agent as data, and everything that only code can say. */
export interface AgentOptions extends Omit<z.input<typeof AgentData>, "model" | "tools" | "output"> {
  /** A model as `provider:model`, or a chat model. */
  model?: string | BaseChatModel;
  /** Names of the project's tools, and tools of your own. */
  tools?: (string | StructuredToolInterface)[];
  /** A zod schema or a JSON schema of the result. */
  output?: z.ZodType | Record<string, unknown>;
  /** LangChain middleware, as `createAgent` takes it. */
  middleware?: readonly AgentMiddleware[];
}

/** What the options of a pattern take for an agent. */
export type Member = Agent | AgentOptions | Workable;

/** Returns an agent. Throws when an option is wrong or misspelt. */
export function agent(options: AgentOptions): Agent {
  const { model, tools = [], output, middleware = [], ...data } = options;
  const names = tools.filter((tool) => typeof tool === "string");
  const { tools: _, ...parsed } = AgentData.parse({ ...data, tools: names, ...(typeof model === "string" && { model }) });
  return { ...parsed, model, tools, output: asZod(output), middleware };
}

/** Returns the agent of a graph that works in an agent's place. */
export function graphAgent(graph: Workable & { name?: string; description?: string }): Agent {
  const { name = "graph", description } = graph;
  return { ...agent({ name, role: description ?? name }), description, graph };
}

/** Returns an agent from whatever a pattern's options take for one. */
export function asAgent(member: Member): Agent {
  if (isWorkable(member)) return graphAgent(member);
  return "middleware" in member && Array.isArray(member.middleware) && "errandSeconds" in member
    ? (member as Agent)
    : agent(member as AgentOptions);
}

/** Returns the agent of parsed data. */
export function fromData({ output, ...data }: AgentData): Agent {
  return { ...data, output: asZod(output), middleware: [] };
}

const isWorkable = (member: object): member is Workable => "invoke" in member && typeof member.invoke === "function";

function asZod(output: z.ZodType | Record<string, unknown> | undefined): z.ZodType | undefined {
  if (output === undefined || output instanceof z.ZodType) return output;
  return z.fromJSONSchema(output as Parameters<typeof z.fromJSONSchema>[0]);
}
