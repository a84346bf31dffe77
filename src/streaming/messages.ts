import { z } from "zod";
import { LoggedMessage, piecesOf, wholePiecesOf } from "./blocks.ts";
import type { Draft } from "./event.ts";
import { addPieces, finishBlocks, type OpenMessage, toDraft } from "./open-message.ts";

const Tuple = z.tuple([LoggedMessage, z.record(z.string(), z.unknown())]);

/** A complete message or a chunk of a message, from the log. */
interface Logged {
  message: LoggedMessage;
  key: string;
  namespace: string[];
  metadata: Record<string, unknown>;
}

/** Converts logged messages and tokens to message events, content block by content block. */
export class MessageProjector {
  #open = new Map<string, OpenMessage>();
  #startedKeys = new Set<string>();

  onTuple(data: string, loggedAt: string[]): { namespace: string[]; drafts: Draft[] } {
    const tuple = Tuple.safeParse(JSON.parse(data)).data;
    if (!tuple) return { namespace: loggedAt, drafts: [] };
    const [message, metadata] = tuple;
    const namespace = textOf(metadata.langgraph_checkpoint_ns)?.split("|") ?? loggedAt;
    const key = `${namespace.join("|")} ${message.id ?? textOf(metadata.langgraph_node)}`;
    const logged = { message, key, namespace, metadata };
    return { namespace, drafts: message.tool_call_chunks ? this.#onChunk(logged) : this.#onWhole(logged) };
  }

  /** Finishes every open message at this namespace or below it. */
  finish(place: string[]): Draft[] {
    return this.#openUnder(place).flatMap((open) => this.#end(open));
  }

  /** Finishes those open messages at this namespace or below it whose ids occur in the update that a node has returned. */
  finishNamed(place: string[], update: string): Draft[] {
    const named = this.#openUnder(place).filter(({ id }) => update.includes(`"id":${JSON.stringify(id)}`));
    return named.flatMap((open) => this.#end(open));
  }

  /**
   * Ends the open messages at this namespace or below it, because their node or model call has failed. If `id` is given, ends only the
   * message with this id. A message that already has a stop reason is complete and ends normally. Any other message ends with an error.
   */
  breakOff(place: string[], reason: string, id?: string): Draft[] {
    const broken = this.#openUnder(place).filter((open) => id === undefined || open.id === id);
    return broken.flatMap((open) => (isComplete(open) ? this.#end(open) : this.#fail(open, reason)));
  }

  /**
   * Ends every open message with an error, because the attempt that streamed it has ended. Forgets these messages, so that the next attempt
   * can start the same messages again.
   */
  cutOff(reason: string): Draft[] {
    for (const key of this.#open.keys()) this.#startedKeys.delete(key);
    return this.#openUnder([]).flatMap((open) => this.#fail(open, reason));
  }

  #onChunk(logged: Logged): Draft[] {
    const known = this.#open.get(logged.key);
    if (!known && this.#startedKeys.has(logged.key)) return []; // the message has already finished
    const [open, drafts] = known ? [known, []] : this.#begin(logged);
    return [...drafts, ...addPieces(open, piecesOf(logged.message), logged.message)];
  }

  #onWhole(logged: Logged): Draft[] {
    const { message, key } = logged;
    if (this.#startedKeys.has(key) || message.type === "tool") return []; // the message was streamed already, or belongs to the tools channel
    const [open, drafts] = this.#begin(logged);
    return [...drafts, ...addPieces(open, wholePiecesOf(message), message), ...this.#end(open)];
  }

  #begin({ message, key, namespace, metadata }: Logged): [OpenMessage, Draft[]] {
    const node = textOf(metadata.langgraph_node);
    const open: OpenMessage = { key, id: message.id ?? key, namespace, node, blocks: [], usage: undefined, response: {} };
    // A message with a stop reason is complete. It stays open until the next message in the same namespace starts, or until its node
    // finishes.
    const complete = [...this.#open.values()].filter((other) => isSame(other.namespace, namespace) && isComplete(other));
    const drafts = complete.flatMap((other) => this.#end(other));
    this.#open.set(key, open);
    this.#startedKeys.add(key);
    return [open, [...drafts, toDraft(open, "message-start", { role: roleOf(message.type), id: open.id, metadata: aboutModel(metadata) })]];
  }

  #end(open: OpenMessage): Draft[] {
    this.#open.delete(open.key);
    const reason = textOf(open.response.finish_reason) ?? textOf(open.response.stop_reason) ?? "stop";
    const more = { reason, ...(open.usage && { usage: open.usage }), responseMetadata: open.response };
    return [...finishBlocks(open), toDraft(open, "message-finish", more)];
  }

  #fail(open: OpenMessage, reason: string): Draft[] {
    this.#open.delete(open.key);
    return [toDraft(open, "error", { message: reason })];
  }

  #openUnder(place: string[]): OpenMessage[] {
    return [...this.#open.values()].filter(({ namespace }) => isUnder(namespace, place));
  }
}

function aboutModel({ ls_provider, ls_model_name, ls_model_type, run_id, thread_id }: Record<string, unknown>) {
  return { provider: textOf(ls_provider), model: textOf(ls_model_name), model_type: textOf(ls_model_type), run_id, thread_id };
}

const roleOf = (type: string) => (type === "human" || type === "system" ? type : "ai");
const textOf = (value: unknown) => (typeof value === "string" ? value : undefined);
const isComplete = ({ response }: OpenMessage) => typeof (response.finish_reason ?? response.stop_reason) === "string";
const isSame = (a: string[], b: string[]) => a.length === b.length && isUnder(a, b);
const isUnder = (namespace: string[], place: string[]) => place.every((segment, index) => segment === namespace[index]);
