import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Assistant } from "../../assistants/assistants.ts";
import { isId, threadIdOf } from "../../db/ids.ts";
import { ServiceError } from "../../errors.ts";
import { questionsIn } from "../../threads/questions.ts";
import { findThread } from "../../threads/threads.ts";
import type { ApiDeps } from "../api-deps.ts";
import type { RunCreateBody } from "../runs/run-request.ts";
import { refused } from "./errors.ts";
import { type ChatMessage, lastUserText, newMessages, toGraphMessages } from "./messages.ts";
import { readAnswer } from "./questions.ts";
import { type CallerTools, contextOf } from "./tools.ts";

/** The part of a request that says what the run gets, and on which thread. */
export interface Ask extends CallerTools {
  assistant: Assistant;
  messages: ChatMessage[];
  /** The id of the thread. Undefined if the request has a temporary thread of its own. */
  threadId: string | undefined;
  /** True if all messages are new, because the caller does not send its history. */
  isAllNew?: boolean;
  /** The checkpoint from which the run starts. Undefined for the newest one. */
  checkpointId?: string | undefined;
  metadata?: Record<string, unknown> | null | undefined;
}

/** The headers that name a thread. Open WebUI sends the second one if it forwards the ids of its users and chats. */
const threadHeaders = ["x-thread-id", "x-openwebui-chat-id"];

/**
 * Returns the id of the thread that a request names in a header, or undefined. A name that is no UUID stands for a thread of its own for
 * each authenticated user.
 */
export function threadOf({ headers, user }: FastifyRequest): string | undefined {
  const name = threadHeaders.map((header) => headers[header]).find((value) => value !== undefined && value !== "");
  if (name === undefined) return undefined;
  if (typeof name !== "string" || name.length > 255)
    throw new ServiceError("malformed", "x-thread-id: must be one name of at most 255 characters.");
  return isId(name) ? name.toLowerCase() : threadIdOf(user?.identity, name);
}

/**
 * Returns the id of the thread that a user has with an assistant, or undefined. The project must ask for such threads, because most chat
 * UIs send the same user with all conversations of a person.
 */
export function threadOfUser(
  { threadsOfUsers }: { threadsOfUsers: boolean },
  { user: caller }: FastifyRequest,
  { user, assistant }: { user: string | null | undefined; assistant: Assistant },
): string | undefined {
  return threadsOfUsers && user ? threadIdOf(caller?.identity, `${assistant.assistant_id} ${user}`) : undefined;
}

const Conversation = z.looseObject({ messages: z.array(z.unknown()).min(1) });

/**
 * Returns the run that a request asks for. Without a thread, the run gets all messages. On a thread with messages, it gets only the new
 * ones. If the thread has an open question, the last message of the person answers it.
 */
export async function toRun(deps: ApiDeps, request: FastifyRequest, ask: Ask): Promise<RunCreateBody> {
  const { assistant, messages, threadId, checkpointId, metadata } = ask;
  const common = {
    assistant_id: assistant.assistant_id,
    context: await contextOf(deps.registry, assistant.graph_id, ask),
    ...(metadata && { metadata }),
    ...(checkpointId && { checkpoint_id: checkpointId }),
    ...(threadId !== undefined && !ask.isAllNew && { if_not_exists: "create" as const }),
  };
  if (threadId === undefined) return { ...common, input: { messages: toGraphMessages(messages) } };
  const { scope } = await request.access("threads:read", { thread_id: threadId });
  const thread = await findThread(deps.pool, scope, threadId);
  const hasMessages = Conversation.safeParse(thread?.values).success;
  const [question] = checkpointId ? [] : questionsIn(thread?.interrupts);
  const fresh = ask.isAllNew || !(hasMessages || question) ? messages : newMessages(messages);
  if (!question) return { ...common, input: { messages: toGraphMessages(fresh) } };
  const text = lastUserText(fresh);
  if (text === undefined) throw refused("messages", "the thread has an open question, which only a message with the role user can answer");
  return { ...common, command: { resume: { [question.id]: readAnswer(question, text) } }, strict_resume: true };
}
