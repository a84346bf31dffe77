import { type AIMessageChunk, type BaseMessage, isBaseMessage, isBaseMessageChunk } from "@langchain/core/messages";
import { wireJson } from "../state/wire-json.ts";
import type { PendingEvent } from "./event-buffer.ts";

/** A chunk of LangGraph's stream mode `messages`. */
export type MessageChunk = [message: BaseMessage, metadata: Record<string, unknown>];

interface TokenEvent extends PendingEvent {
  token: AIMessageChunk;
}

/**
 * Returns the event of the stream mode `messages-tuple` for a token and its metadata. If events arrive faster than they can be logged, the
 * tokens of one message are merged into one event.
 */
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
 * Returns functions that create the events of the stream mode `messages`. While a model answers, each `messages/partial` event contains the
 * message so far. When a message appears in the state, it is sent once as a complete message. On the official servers, these events have no
 * namespace, so they have none here. The metadata of a message names the node that sent it.
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

/**
 * Returns the event of a partial message. The event contains all tokens so far, so a newer event can replace an older one that has not been
 * logged yet.
 */
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
