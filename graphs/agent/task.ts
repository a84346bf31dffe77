import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { MessagesValue, MessagesZodMeta } from "@langchain/langgraph";
import { withLangGraph } from "@langchain/langgraph/zod";
import { z } from "zod";
import { closed } from "./closed.ts";
import { failureState } from "./failing.ts";

const longestTask = 100_000;
const longestMaterial = 1_000_000;

/** The task of a pattern. Its length is limited, because no model can read megabytes. */
const Task = z.string().trim().min(1).max(longestTask);

/** The material of a task: a JSON value of at most a million characters. */
export const Material = z
  .unknown()
  .optional()
  .refine((material) => (JSON.stringify(material)?.length ?? 0) <= longestMaterial, `longer than ${longestMaterial} characters of JSON`);

/**
 * The state keys of a pattern that works on one task. These are the task, the conversation that chat clients show, and the keys for the
 * node `fail`.
 */
export const taskState = { task: Task.nullable().default(null).describe("Task to do"), messages: MessagesValue, ...failureState };

/**
 * Returns the schema of the input field `messages`. Each input needs a schema object of its own, because LangGraph stores metadata for each
 * object.
 */
export const messagesInput = (description: string) =>
  withLangGraph(
    z
      .array(z.unknown() as z.ZodType<BaseMessage>)
      .default([])
      .describe(description),
    MessagesZodMeta as never,
  );

/**
 * Returns the input schema of a pattern that works on one task. The caller sends either `task`, or `messages` in which the last message of
 * a person is the task. Every field has a default. Without a default, a field that is not sent would keep its value from an earlier run on
 * the thread. `suffices` tells whether an input is valid although it has no task.
 */
export function taskInput<Shape extends z.ZodRawShape>(shape: Shape, suffices: (given: Record<string, unknown>) => boolean = () => false) {
  const messages = messagesInput("Conversation, instead of a task. The last message of a person is the task.");
  return closed({ task: taskState.task, messages, ...shape }, (given) => {
    const { task, messages = [] } = given as { task?: unknown; messages?: unknown };
    const isGiven = typeof task === "string" || [messages].flat().some(isOfPerson) || suffices(given as Record<string, unknown>);
    return isGiven ? [] : [{ path: ["task"], message: "give a task, or messages with one of a person" }];
  });
}

/** Tells whether a message comes from a person. It accepts all forms of messages that clients send. */
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

/** Returns the task of a run: the field `task`, or the last message of a person if that field is not set. */
export function taskOf({ task, messages }: Asked): string {
  return task ?? messages.findLast((message) => HumanMessage.isInstance(message))?.text ?? "";
}

/**
 * Returns the first state update of a run. If the task was not sent as a message, adds it as a message of a person, so that chat clients
 * show it.
 */
export function beginTask(asked: Asked): { task: string; messages: BaseMessage[] } {
  const task = taskOf(asked);
  return { task, messages: asked.task === null ? [] : [new HumanMessage(task)] };
}

/**
 * Returns the messages that add the answer to the conversation. If the answer has already been streamed, `spoken` is its message. The
 * update then contains the message with the same id, so that clients do not show the answer twice.
 */
export const answerWith = (text: string, spoken?: AIMessage): BaseMessage[] => [spoken ?? new AIMessage(text)];
