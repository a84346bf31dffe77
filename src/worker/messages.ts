import { type AIMessageChunk, type BaseMessage, isBaseMessage, isBaseMessageChunk } from "@langchain/core/messages";
import { wireJson } from "../state/wire-json.ts";
import type { PendingEvent } from "./event-buffer.ts";

/** A chunk of LangGraph's `messages` mode. */
export type MessageChunk = [message: BaseMessage, metadata: Record<string, unknown>];

interface TokenEvent extends PendingEvent {
  token: AIMessageChunk;
}

/** Returns the `messages-tuple` event of a token with its metadata. When the log is behind, tokens of one message share an event. */
export function messageTuple(event: string, [message, metadata]: MessageChunk): PendingEvent {
  const data = wireJson([message, metadata]);
  if (!isChunk(message)) return { event, data };
  const self: TokenEvent = {
    event,
    data,
    token: message,
    merge: {
      key: `${event} ${message.id}`,
      with: (successor) => messageTuple(event, [message.concat((successor as TokenEvent).token), metadata]),
    },
  };
  return self;
}

/**
 * Makes the events of the `messages` mode: partial messages while a model answers, and each message of the state once when it is complete.
 * They carry no namespace, as on the official servers. The metadata of a message says where it was made.
 */
export function createMessagesMode() {
  const partial = new Map<string, AIMessageChunk>();
  const complete = new Set<string>();

  return {
    onToken([message, metadata]: MessageChunk): PendingEvent[] {
      const { id } = message;
      if (!isChunk(message) || id === undefined) return [];
      const before = partial.get(id);
      const soFar = before ? before.concat(message) : message;
      partial.set(id, soFar);
      const speaking = partialEvent("messages/partial", id, soFar);
      return before ? [speaking] : [{ event: "messages/metadata", data: wireJson({ [id]: { metadata } }) }, speaking];
    },
    onValues(values: unknown): PendingEvent[] {
      const fresh = messagesIn(values).filter((message) => {
        const key = message.id ?? wireJson(message);
        if (complete.has(key)) return false;
        complete.add(key);
        partial.delete(key);
        return true;
      });
      return fresh.length > 0 ? [{ event: "messages/complete", data: wireJson(fresh) }] : [];
    },
  };
}

/** A partial message contains all earlier ones, so the newest one replaces them. */
function partialEvent(event: string, id: string, message: AIMessageChunk): PendingEvent {
  return { event, data: wireJson([message]), merge: { key: `${event} ${id}`, with: (successor) => successor } };
}

function isChunk(message: BaseMessage): message is AIMessageChunk {
  return isBaseMessageChunk(message);
}

function messagesIn(values: unknown): BaseMessage[] {
  if (typeof values !== "object" || values === null || !("messages" in values) || !Array.isArray(values.messages)) return [];
  return values.messages.filter((message): message is BaseMessage => isBaseMessage(message));
}
