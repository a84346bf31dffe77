import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { MessagesValue, MessagesZodMeta } from "@langchain/langgraph";
import { withLangGraph } from "@langchain/langgraph/zod";
import { z } from "zod";
import { closed } from "./closed.ts";

const longestTask = 100_000;
const longestMaterial = 1_000_000;

/** The task of a pattern. The limit is longer than any sensible task, and no model reads megabytes. */
const Task = z.string().trim().min(1).max(longestTask);

/** The material of a task, with a generous limit. */
export const Material = z
  .unknown()
  .optional()
  .refine((material) => (JSON.stringify(material)?.length ?? 0) <= longestMaterial, `longer than ${longestMaterial} characters of JSON`);

/** The state of a pattern that works on one task: the task, and the conversation for chat clients. */
export const taskState = { task: Task.nullable().default(null).describe("Task to do"), messages: MessagesValue };

/** Returns the messages of an input. LangGraph registers each schema by itself. */
export const messagesInput = (description: string) =>
  withLangGraph(
    z
      .array(z.unknown() as z.ZodType<BaseMessage>)
      .default([])
      .describe(description),
    MessagesZodMeta as never,
  );

/**
 * Returns the input of a pattern that works on one task. The caller gives the task, or messages of which the last one of a person is the
 * task. Every field needs a default, so that a value of an earlier run on the thread does not remain.
 */
export function taskInput<Shape extends z.ZodRawShape>(shape: Shape) {
  const messages = messagesInput("Conversation, instead of a task. The last message of a person is the task.");
  return closed({ task: taskState.task, messages, ...shape }, (given) => {
    const { task, messages = [] } = given as { task?: unknown; messages?: unknown };
    const isGiven = typeof task === "string" || [messages].flat().some(isOfPerson);
    return isGiven ? [] : [{ path: ["task"], message: "give a task, or messages with one of a person" }];
  });
}

/** Tells whether a message, in any of the forms that clients send, is one of a person. */
function isOfPerson(message: unknown): boolean {
  if (typeof message === "string") return true;
  if (Array.isArray(message)) return ["human", "user"].includes(message[0]);
  const { role, type, id } = Object(message);
  return ["human", "user"].includes(role ?? type) || HumanMessage.isInstance(message) || (Array.isArray(id) && id.includes("HumanMessage"));
}

interface Asked {
  task: string | null;
  messages: BaseMessage[];
}

/** Returns the task of a run: the given one, or the last message of a person. */
export function taskOf({ task, messages }: Asked): string {
  return task ?? messages.findLast((message) => HumanMessage.isInstance(message))?.text ?? "";
}

/** Returns what the first node of a pattern writes: the task, which chat clients see as a message of a person. */
export function beginTask(asked: Asked): { task: string; messages: BaseMessage[] } {
  const task = taskOf(asked);
  return { task, messages: asked.task === null ? [] : [new HumanMessage(task)] };
}

/** Returns the answer of a pattern as the last message of the conversation: the one that followers have read, or a new one. */
export const answerWith = (text: string, spoken?: AIMessage): BaseMessage[] => [spoken ?? new AIMessage(text)];
