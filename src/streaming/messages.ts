import { z } from "zod";
import { type Block, finishedBlock, isOpenCall, LoggedMessage, type Piece, piecesOf, wholePiecesOf } from "./blocks.ts";
import type { Draft } from "./event.ts";

const Tuple = z.tuple([LoggedMessage, z.record(z.string(), z.unknown())]);

/** Token counts by kind, some with nested details. */
interface Usage {
  [kind: string]: number | Usage;
}

/** A message that is being streamed. */
interface OpenMessage {
  id: string;
  namespace: string[];
  node: string | undefined;
  /** `sentLength` is the length of the arguments in the last delta of a tool call. */
  blocks: { key: string; block: Block; finished: boolean; sentLength: number }[];
  usage: Usage | undefined;
  response: Record<string, unknown>;
}

/** Projects messages block by block from the tokens of the log. */
export interface MessageProjector {
  onTuple(data: string, loggedAt: string[]): { namespace: string[]; drafts: Draft[] };
  /** Finishes every open message under this place. */
  finish(namespace: string[]): Draft[];
  /** Finishes the open messages under this place that a node's update names. */
  finishNamed(namespace: string[], update: string): Draft[];
  /** Ends the open messages under this place, or the named one, with an error. A message with a stop reason is complete, and finishes. */
  breakOff(place: string[], reason: string, id?: string): Draft[];
  /** Ends every open message with an error, because its attempt is over. */
  cutOff(reason: string): Draft[];
}

export function createMessageProjector(): MessageProjector {
  const openMessages = new Map<string, OpenMessage>();
  const startedKeys = new Set<string>();

  function begin(message: LoggedMessage, key: string, namespace: string[], metadata: Record<string, unknown>): [OpenMessage, Draft[]] {
    const node = textOf(metadata.langgraph_node);
    const open: OpenMessage = { id: message.id ?? key, namespace, node, blocks: [], usage: undefined, response: {} };
    // A message with a stop reason is complete as soon as another one starts at the same place.
    const complete = [...openMessages.values()].filter((other) => isSame(other.namespace, namespace) && isComplete(other));
    const drafts = complete.flatMap((other) => end(other));
    openMessages.set(key, open);
    startedKeys.add(key);
    return [open, [...drafts, toDraft(open, "message-start", { role: roleOf(message.type), id: open.id, metadata: aboutModel(metadata) })]];
  }

  function end(open: OpenMessage): Draft[] {
    for (const [key, one] of openMessages) if (one === open) openMessages.delete(key);
    const reason = textOf(open.response.finish_reason) ?? textOf(open.response.stop_reason) ?? "stop";
    const more = { reason, ...(open.usage && { usage: open.usage }), responseMetadata: open.response };
    return [...finishBlocks(open), toDraft(open, "message-finish", more)];
  }

  function onChunk(message: LoggedMessage, key: string, namespace: string[], metadata: Record<string, unknown>): Draft[] {
    const known = openMessages.get(key);
    if (!known && startedKeys.has(key)) return []; // the message is finished already
    const [open, drafts] = known ? [known, []] : begin(message, key, namespace, metadata);
    for (const piece of piecesOf(message)) drafts.push(...addPiece(open, piece));
    open.usage = addUsage(open.usage, message.usage_metadata);
    Object.assign(open.response, message.response_metadata);
    return drafts;
  }

  function onWhole(message: LoggedMessage, key: string, namespace: string[], metadata: Record<string, unknown>): Draft[] {
    if (startedKeys.has(key) || message.type === "tool") return []; // tool messages go to the tools channel
    const [open, drafts] = begin(message, key, namespace, metadata);
    for (const piece of wholePiecesOf(message)) drafts.push(...addPiece(open, piece));
    open.usage = addUsage(undefined, message.usage_metadata);
    Object.assign(open.response, message.response_metadata);
    return [...drafts, ...end(open)];
  }

  return {
    onTuple(data, loggedAt) {
      const tuple = Tuple.safeParse(JSON.parse(data)).data;
      if (!tuple) return { namespace: loggedAt, drafts: [] };
      const [message, metadata] = tuple;
      const namespace = textOf(metadata.langgraph_checkpoint_ns)?.split("|") ?? loggedAt;
      const key = `${namespace.join("|")} ${message.id ?? textOf(metadata.langgraph_node)}`;
      const drafts = message.tool_call_chunks ? onChunk(message, key, namespace, metadata) : onWhole(message, key, namespace, metadata);
      return { namespace, drafts };
    },
    finish: (place) => [...openMessages.values()].filter(({ namespace }) => isUnder(namespace, place)).flatMap((open) => end(open)),
    finishNamed: (place, update) =>
      [...openMessages.values()]
        .filter(({ id, namespace }) => isUnder(namespace, place) && update.includes(`"id":${JSON.stringify(id)}`))
        .flatMap((open) => end(open)),
    breakOff: (place, reason, id) =>
      [...openMessages]
        .filter(([, open]) => isUnder(open.namespace, place) && (id === undefined || open.id === id))
        .flatMap(([key, open]) => {
          if (isComplete(open)) return end(open);
          openMessages.delete(key);
          return [toDraft(open, "error", { message: reason })];
        }),
    cutOff(reason) {
      const cut = [...openMessages.entries()];
      for (const [key] of cut) {
        openMessages.delete(key);
        startedKeys.delete(key);
      }
      return cut.map(([, open]) => toDraft(open, "error", { message: reason }));
    },
  };
}

function addPiece(open: OpenMessage, { key, empty, append }: Piece): Draft[] {
  const drafts: Draft[] = [];
  let index = open.blocks.findIndex((one) => one.key === key);
  if (index < 0) {
    drafts.push(...finishBlocks(open, ({ block }) => !isOpenCall(block))); // only tool calls may be open in parallel
    index = open.blocks.push({ key, block: { ...empty }, finished: false, sentLength: 0 }) - 1;
    drafts.push(toDraft(open, "content-block-start", { index, content: empty }));
  }
  const one = open.blocks[index];
  if (!one || !append) return drafts;
  const { field, text, id, name } = append;
  one.finished = false;
  one.block[field] = `${one.block[field] ?? ""}${text}`;
  if (id !== undefined) one.block.id = id;
  if (name !== undefined) one.block.name = `${one.block.name === name ? "" : (one.block.name ?? "")}${name}`;
  return [...drafts, ...projectDelta(open, index, one, field, text)];
}

/**
 * Returns the delta of a block. A text delta holds the new text. Readers merge the fields of a tool call, so its delta holds all arguments
 * so far. It is only sent when they have grown by an eighth. Otherwise long arguments would take the square of their length.
 */
function projectDelta(open: OpenMessage, index: number, one: OpenMessage["blocks"][number], field: string, text: string): Draft[] {
  if (field === "text") return [toDraft(open, "content-block-delta", { index, delta: { type: "text-delta", text } })];
  if (field === "reasoning") return [toDraft(open, "content-block-delta", { index, delta: { type: "reasoning-delta", reasoning: text } })];
  const length = String(one.block.args).length;
  if (one.sentLength > 0 && length < one.sentLength * 1.125) return [];
  one.sentLength = length;
  return [toDraft(open, "content-block-delta", { index, delta: { type: "block-delta", fields: { ...one.block } } })];
}

function finishBlocks(open: OpenMessage, isDue: (one: OpenMessage["blocks"][number]) => boolean = () => true): Draft[] {
  return open.blocks.flatMap((one, index) => {
    if (one.finished || !isDue(one)) return [];
    one.finished = true;
    return [toDraft(open, "content-block-finish", { index, content: finishedBlock(one.block) })];
  });
}

/** Returns a draft with the message's id as `run_id`, by which the SDK distinguishes parallel messages at one place. */
function toDraft({ id, namespace, node }: OpenMessage, event: string, more: object): Draft {
  return { method: "messages", namespace, node, data: JSON.stringify({ event, run_id: id, ...more }) };
}

/** Adds token counts, including the nested details of input and output. */
function addUsage(usage: Usage | undefined, more: Record<string, unknown> | null | undefined): Usage | undefined {
  if (!more) return usage;
  const sum: Usage = { ...usage };
  for (const [key, amount] of Object.entries(more)) {
    const before = sum[key];
    if (typeof amount === "number") sum[key] = (typeof before === "number" ? before : 0) + amount;
    else if (isRecord(amount)) sum[key] = addUsage(typeof before === "object" ? before : {}, amount) ?? {};
  }
  return sum;
}

function aboutModel({ ls_provider, ls_model_name, ls_model_type, run_id, thread_id }: Record<string, unknown>) {
  return { provider: textOf(ls_provider), model: textOf(ls_model_name), model_type: textOf(ls_model_type), run_id, thread_id };
}

const roleOf = (type: string) => (type === "human" || type === "system" ? type : "ai");
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const textOf = (value: unknown) => (typeof value === "string" ? value : undefined);
const isComplete = ({ response }: OpenMessage) => typeof (response.finish_reason ?? response.stop_reason) === "string";
const isSame = (a: string[], b: string[]) => a.length === b.length && isUnder(a, b);
const isUnder = (namespace: string[], place: string[]) => place.every((segment, index) => segment === namespace[index]);
