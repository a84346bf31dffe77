import { AIMessage, type BaseMessage, ToolMessage } from "@langchain/core/messages";
import { type StructuredToolInterface, tool } from "@langchain/core/tools";
import { createMiddleware } from "langchain";
import { z } from "zod";
import type { Agent } from "../../agent/agent.ts";
import { type AskTimeout, askApproval } from "../../agent/ask-human.ts";
import { closed } from "../../agent/closed.ts";
import { JsonSchema } from "../../agent/schema.ts";
import type { Participant } from "./state.ts";

const Filter = z.union([
  z.enum(["all", "none", "remove_tools"]),
  closed({ last: z.number().int().min(1).describe("Number of messages that the next agent sees") }),
]);

/** A handoff in a run's context: the target of the handoff, and how much of the conversation the next agent sees. */
export const Handoff = closed({
  to: z.string().min(1).describe("Agent that gets the conversation"),
  description: z.string().optional().describe("When to hand over. Default: the description of the other agent."),
  filter: Filter.default("all").describe(
    "Messages that the next agent sees of the conversation so far. The user's last message always stays.",
  ),
  pack: z.boolean().optional().describe("Whether the messages so far are packed into one message. Default: `pack` of the context."),
  input: JsonSchema.optional().describe("JSON schema of the input that is handed over with the conversation"),
  approve: z.boolean().default(false).describe("Whether a person must approve the handoff"),
});

/** A handoff that is defined in code. The filter may be a function, and the input may be a zod schema. */
export interface Handoff extends Omit<z.output<typeof Handoff>, "filter" | "input"> {
  filter: z.output<typeof Filter> | ((messages: BaseMessage[]) => BaseMessage[]);
  input?: Record<string, unknown> | z.ZodType;
}

/** A participant that can hand over the conversation. */
export interface Handing extends Participant {
  handoffs: Handoff[];
}

export const transferName = (to: string) => `transfer_to_${to.replace(/[^\w-]+/g, "_")}`;
const done = (to: string) => `Transferred to ${to}.`;
const inputMark = " Input: ";

/** Returns the tool with which an agent hands the conversation over. */
export function transferTool(handoff: Handoff, all: Participant[], timeoutSeconds: AskTimeout): StructuredToolInterface {
  const { to, input, approve } = handoff;
  const target = all.find(({ name }) => name === to);
  const about = handoff.description ?? target?.description ?? target?.role ?? to;
  const name = transferName(to);
  const transfer = (args: Record<string, unknown>) => {
    const { approved, reason } = approve ? askApproval(`May the conversation go to ${to}?`, { to, ...args }, { timeoutSeconds }) : yes;
    if (!approved) return `Refused by a person${reason ? `: ${reason}` : "."}`;
    return `${done(to)}${input ? `${inputMark}${JSON.stringify(args)}` : ""}`;
  };
  return tool(transfer, { name, description: `Hands the conversation over to ${to}: ${about}`, schema: schemaOf(input) });
}

const yes = { approved: true, reason: undefined };

function schemaOf(input: Handoff["input"]): z.ZodObject {
  if (input === undefined) return z.object({});
  return ("safeParse" in input ? input : z.fromJSONSchema(input as Parameters<typeof z.fromJSONSchema>[0])) as z.ZodObject;
}

/** The record of a handoff that took place. */
export const HandedOver = z.object({
  from: z.string().describe("Agent that handed over"),
  to: z.string().describe("Agent that got the conversation"),
  input: z.unknown().describe("Input that was handed over. Null if there is none."),
  tools: z.array(z.string()).describe("Other tools that were called in the same turn"),
});
export type HandedOver = z.infer<typeof HandedOver>;

/** Returns the handoff that an agent made in its turn, or undefined if it made none. `added` are the messages of the turn. */
export function handoffIn(added: BaseMessage[], { name: from, handoffs }: Handing): HandedOver | undefined {
  const results = added.filter((message) => ToolMessage.isInstance(message));
  for (const { to } of handoffs) {
    const result = results.find((one) => one.name === transferName(to) && one.text.startsWith(done(to)));
    if (!result) continue;
    const input = result.text.split(inputMark)[1];
    const tools = results.flatMap(({ name = "" }) => (name.startsWith("transfer_to_") ? [] : [name]));
    return { from, to, input: input === undefined ? null : JSON.parse(input), tools };
  }
  return undefined;
}

/** Tells whether the last handoff repeats an earlier handoff of the run, and no agent used a tool between the two. */
export function isLoop(handoffs: HandedOver[]): boolean {
  const last = handoffs.at(-1);
  const before = handoffs.slice(0, -1).findLastIndex(({ from, to }) => from === last?.from && to === last?.to);
  return before >= 0 && handoffs.slice(before + 1).every(({ tools }) => tools.length === 0);
}

/**
 * The middleware for agents that can hand over the conversation. The first handoff in an agent's answer ends the agent's turn. Further
 * handoffs in the same answer are refused, but its other tool calls are run.
 */
export const handingOver = [
  createMiddleware({
    name: "handoff",
    contextSchema: z.object({ agent: z.custom<Agent>() }), // LangChain passes only the context fields in this schema to a hook
    wrapToolCall: (request, handler) => {
      const calls = request.state.messages.findLast((message) => AIMessage.isInstance(message))?.tool_calls ?? [];
      const transfers = calls.filter(({ name }) => isTransfer(name, request.runtime.context));
      const { id = "", name } = request.toolCall;
      if (!isTransfer(name, request.runtime.context) || transfers[0]?.id === id) return handler(request);
      const content = `Not done: the conversation goes to another agent by ${transfers[0]?.name}.`;
      return new ToolMessage({ content, tool_call_id: id, name });
    },
    beforeModel: {
      canJumpTo: ["end"],
      hook: ({ messages }, { context }) => {
        const results = messages.slice(messages.findLastIndex((message) => !ToolMessage.isInstance(message)) + 1);
        const isDone = ({ name = "", text }: BaseMessage) => isTransfer(name, context) && text.startsWith("Transferred to ");
        return results.some(isDone) ? { jumpTo: "end" } : undefined;
      },
    },
  }),
];

/** Tells whether a tool is one of the current agent's handoffs. */
const isTransfer = (name: string, { agent }: { agent: Agent }) =>
  name.startsWith("transfer_to_") && agent.tools.some((tool) => typeof tool !== "string" && tool.name === name);
