import { AIMessage, type BaseMessage, ToolMessage } from "@langchain/core/messages";
import { type StructuredToolInterface, tool } from "@langchain/core/tools";
import { createMiddleware } from "langchain";
import { z } from "zod";
import type { Turn } from "./state.ts";
import { claimable, type TeamTask } from "./tasks.ts";

interface View {
  member: string;
  members: string[];
  tasks: TeamTask[];
  /** The member's current task. Undefined if the member has no task. */
  own: TeamTask | undefined;
  broadcastsLeft: number;
}

const text = (description: string) => z.string().trim().min(1).max(20_000).describe(description);
const id = z.string().min(1).max(50);
const words = { content: text("The message"), summary: z.string().trim().min(1).max(200).describe("The message in a few words") };

/** The arguments of each tool. */
const shapes = {
  complete: z.object({ result: text("The whole result") }),
  claim: z.object({ id: id.describe("Id of the task") }),
  add: z.object({
    id: id.describe("New short id"),
    subject: z.string().trim().min(1).max(200).describe("What it is about, in a few words"),
    description: text("What is to be done"),
    blockedBy: z.array(id).default([]).describe("Ids of tasks that must be completed before"),
  }),
  send: z.object({ to: z.string().describe("Name of the member"), ...words }),
  broadcast: z.object(words),
};

/**
 * Returns the tools with which a member of a mesh works with other members. The tools only validate a call. `settle` applies the call after
 * the round.
 */
export function teamTools({ member, members, tasks, own, broadcastsLeft }: View): StructuredToolInterface[] {
  const others = members.filter((name) => name !== member);
  const open = claimable(tasks);
  const claim = ({ id }: { id: string }) => {
    if (open.some((task) => task.id === id)) return `You claim ${id}.`;
    throw new Error(`${id} cannot be claimed; there are ${open.map((task) => task.id).join(", ") || "none"}.`);
  };
  const send = ({ to }: { to: string }) => {
    if (others.includes(to)) return `${to} reads it in the next round.`;
    throw new Error(`there is no other member "${to}"; there are ${others.join(", ")}.`);
  };
  const broadcast = () => {
    if (broadcastsLeft > 0) return `All read it in the next round. It counts as ${others.length} messages.`;
    throw new Error("the team has no broadcasts left; send a message to whom it concerns.");
  };
  const add = ({ id }: { id: string }) => {
    if (tasks.every((task) => task.id !== id)) return `${id} is added to the list.`;
    throw new Error(`there is already a task "${id}".`);
  };
  return [
    own
      ? tool(() => "Completed.", { name: "complete", description: "Ends your task with its result", schema: shapes.complete })
      : tool(claim, { name: "claim", description: "Claims an open task, which you then do", schema: shapes.claim }),
    tool(add, { name: "add_task", description: "Adds a task that turned out to be needed", schema: shapes.add }),
    tool(send, { name: "send_message", description: "Writes to one other member", schema: shapes.send }),
    tool(broadcast, { name: "broadcast", description: "Writes to all members. It is expensive.", schema: shapes.broadcast }),
  ];
}

const ending = ["claim", "complete"];

/** The middleware that ends a member's turn when the member has claimed or completed a task. */
export const endingTurns = [
  createMiddleware({
    name: "team",
    beforeModel: {
      canJumpTo: ["end"],
      hook: ({ messages }) => (resultsAtEnd(messages).some(({ name = "" }) => ending.includes(name)) ? { jumpTo: "end" } : undefined),
    },
  }),
];

const resultsAtEnd = (messages: BaseMessage[]) =>
  messages.slice(messages.findLastIndex((message) => !ToolMessage.isInstance(message)) + 1).filter(isDone);

const isDone = (message: BaseMessage): message is ToolMessage => ToolMessage.isInstance(message) && message.status !== "error";

const teamNames = ["claim", "complete", "add_task", "send_message", "broadcast"];

/** Returns the accepted calls of team tools, in their order. */
export function actionsIn(added: BaseMessage[]): Turn["actions"] {
  const done = new Set(added.filter(isDone).map(({ tool_call_id }) => tool_call_id));
  const calls = added.flatMap((message) => (AIMessage.isInstance(message) ? (message.tool_calls ?? []) : []));
  return calls.filter(({ id = "", name }) => teamNames.includes(name) && done.has(id)).map(({ name, args }) => ({ name, args }));
}
