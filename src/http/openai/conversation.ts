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

/** The part of a request that determines the input and the thread of its run. */
export interface Ask extends CallerTools {
  assistant: Assistant;
  messages: ChatMessage[];
  /** The id of the thread. Undefined if the request has a temporary thread of its own. */
  threadId: string | undefined;
  /**
   * True if the request contains only new messages, because it continues a stored response. False if it may repeat the earlier messages.
   */
  isAllNew?: boolean;
  /** The checkpoint from which the run starts. Undefined for the newest one. */
  checkpointId?: string | undefined;
  metadata?: Record<string, unknown> | null | undefined;
}

/** The header that names a thread. */
const threadHeader = "x-thread-id";
/** The headers that name a chat of a chat UI. Open WebUI sends the second one if it forwards such ids. */
const chatHeaders = ["x-chat-id", "x-openwebui-chat-id"];
/**
 * The header by which Open WebUI marks a request that no person has sent, such as a request for the title of a chat. Its value is empty if
 * a person has sent the message.
 */
const taskHeader = "x-openwebui-task";
/**
 * Matches ids that Open WebUI sends as chat ids, although they do not belong to a single chat. All temporary chats of a page send the
 * page's id, and all messages in a channel send the channel's id.
 */
const sharedChat = /^(local|channel):/;

const longestName = 255;

/** The parts of a request that may name a thread. */
interface Named {
  user?: string | null | undefined;
  stream?: boolean | null | undefined;
  assistant: Assistant;
}

/**
 * Returns the id of the thread that a request names, or undefined if the request names no thread.
 * - A request that a chat UI sends on its own, such as one for a title, gets no thread. It must not answer the chat's question or join the
 *   chat.
 * - `x-thread-id` is the id of a thread or any other name. The same name stands for different threads of different users.
 * - A chat of a chat UI gets one thread for each assistant, because a person can ask several models in one chat.
 * - The field `user` names a thread only if the project has enabled this. Most chat UIs send the same user in all conversations of a
 *   person.
 */
export function threadOf(
  { threadsOfUsers }: { threadsOfUsers: boolean },
  request: FastifyRequest,
  { user, stream, assistant }: Named,
): string | undefined {
  const identity = request.user?.identity;
  const task = request.headers[taskHeader];
  if (task) return undefined;
  const name = headerOf(request, threadHeader);
  if (name !== undefined) return isId(name) ? name.toLowerCase() : threadIdOf(identity, name);
  const [chat] = chatHeaders.flatMap((header) => headerOf(request, header) ?? []);
  // Some chat UIs do not send the task header. Chat UIs stream only the answers to messages of a person, so `stream` identifies these
  // messages.
  const isOfPerson = stream === true || task === "";
  if (chat !== undefined)
    return isOfPerson && !sharedChat.test(chat) ? threadIdOf(identity, `chat ${assistant.assistant_id} ${chat}`) : undefined;
  return threadsOfUsers && user ? threadIdOf(identity, `user ${assistant.assistant_id} ${user}`) : undefined;
}

function headerOf({ headers }: FastifyRequest, name: string): string | undefined {
  const value = headers[name];
  if (value === undefined || value === "") return undefined;
  if (typeof value === "string" && value.length <= longestName) return value;
  throw new ServiceError("malformed", `${name}: must be one name of at most ${longestName} characters.`);
}

const Conversation = z.looseObject({ messages: z.array(z.unknown()).min(1) });

/**
 * Returns the run that a request asks for. Without a thread, the run gets all messages of the request. On a thread that already has
 * messages, the run gets only the messages that are new. If the thread has an open question, the person's last message is the answer.
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
