import { z } from "zod";
import { type Block, finishedBlock, isOpenCall, LoggedMessage, type Piece, piecesOf, wholePiecesOf } from "./blocks.ts";
import type { Draft } from "./event.ts";

const Tuple = z.tuple([LoggedMessage, z.record(z.string(), z.unknown())]);

/** Amounts of tokens, some of them in detail. */
interface Usage {
  [kind: string]: number | Usage;
}

interface Speech {
  id: string;
  namespace: string[];
  node: string | undefined;
  blocks: { key: string; block: Block; finished: boolean; told: number }[];
  usage: Usage | undefined;
  response: Record<string, unknown>;
}

/** Tells messages block by block, as tokens of the log make them. */
export interface MessageProjector {
  onTuple(data: string, loggedAt: string[]): { namespace: string[]; drafts: Draft[] };
  /** Nothing more is said under this place. */
  finish(namespace: string[]): Draft[];
  /** A node has returned this: whatever it names has been said, as far as it was said under this place. */
  finishNamed(namespace: string[], update: string): Draft[];
  /** What is being said under this place, or the one message of it that is named, breaks off. What had said why it stopped is complete. */
  breakOff(place: string[], reason: string, id?: string): Draft[];
  /** What is still being said is cut off: nobody goes on with it. */
  cutOff(reason: string): Draft[];
}

export function createMessageTeller(): MessageProjector {
  const speaking = new Map<string, Speech>();
  const told = new Set<string>();

  function begin(message: LoggedMessage, key: string, namespace: string[], metadata: Record<string, unknown>): [Speech, Draft[]] {
    const node = textOf(metadata.langgraph_node);
    const speech: Speech = { id: message.id ?? key, namespace, node, blocks: [], usage: undefined, response: {} };
    // A model that has said why it stopped, and another message at the same place: what it said is complete.
    const before = [...speaking.values()].filter((other) => isSame(other.namespace, namespace) && isComplete(other));
    const drafts = before.flatMap((other) => end(other));
    speaking.set(key, speech);
    told.add(key);
    return [
      speech,
      [...drafts, tell(speech, "message-start", { role: roleOf(message.type), id: speech.id, metadata: aboutModel(metadata) })],
    ];
  }

  function end(speech: Speech): Draft[] {
    for (const [key, one] of speaking) if (one === speech) speaking.delete(key);
    const reason = textOf(speech.response.finish_reason) ?? textOf(speech.response.stop_reason) ?? "stop";
    const more = { reason, ...(speech.usage && { usage: speech.usage }), responseMetadata: speech.response };
    return [...finishBlocks(speech), tell(speech, "message-finish", more)];
  }

  function onChunk(message: LoggedMessage, key: string, namespace: string[], metadata: Record<string, unknown>): Draft[] {
    const known = speaking.get(key);
    if (!known && told.has(key)) return []; // it was complete already
    const [speech, drafts] = known ? [known, []] : begin(message, key, namespace, metadata);
    for (const piece of piecesOf(message)) drafts.push(...addPiece(speech, piece));
    speech.usage = addUsage(speech.usage, message.usage_metadata);
    Object.assign(speech.response, message.response_metadata);
    return drafts;
  }

  function onWhole(message: LoggedMessage, key: string, namespace: string[], metadata: Record<string, unknown>): Draft[] {
    if (told.has(key) || message.type === "tool") return []; // what tools say goes to the channel of the tools
    const [speech, drafts] = begin(message, key, namespace, metadata);
    for (const piece of wholePiecesOf(message)) drafts.push(...addPiece(speech, piece));
    speech.usage = addUsage(undefined, message.usage_metadata);
    Object.assign(speech.response, message.response_metadata);
    return [...drafts, ...end(speech)];
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
    finish: (place) => [...speaking.values()].filter(({ namespace }) => isUnder(namespace, place)).flatMap((speech) => end(speech)),
    finishNamed: (place, update) =>
      [...speaking.values()]
        .filter(({ id, namespace }) => isUnder(namespace, place) && update.includes(`"id":${JSON.stringify(id)}`))
        .flatMap((speech) => end(speech)),
    breakOff: (place, reason, id) =>
      [...speaking]
        .filter(([, speech]) => isUnder(speech.namespace, place) && (id === undefined || speech.id === id))
        .flatMap(([key, speech]) => {
          if (isComplete(speech)) return end(speech);
          speaking.delete(key);
          return [tell(speech, "error", { message: reason })];
        }),
    cutOff(reason) {
      const cut = [...speaking.entries()];
      for (const [key] of cut) {
        speaking.delete(key);
        told.delete(key);
      }
      return cut.map(([, speech]) => tell(speech, "error", { message: reason }));
    },
  };
}

function addPiece(speech: Speech, { key, empty, append }: Piece): Draft[] {
  const drafts: Draft[] = [];
  let index = speech.blocks.findIndex((one) => one.key === key);
  if (index < 0) {
    drafts.push(...finishBlocks(speech, ({ block }) => !isOpenCall(block))); // blocks follow each other, but for calls side by side
    index = speech.blocks.push({ key, block: { ...empty }, finished: false, told: 0 }) - 1;
    drafts.push(tell(speech, "content-block-start", { index, content: empty }));
  }
  const one = speech.blocks[index];
  if (!one || !append) return drafts;
  const { field, text, id, name } = append;
  one.finished = false;
  one.block[field] = `${one.block[field] ?? ""}${text}`;
  if (id !== undefined) one.block.id = id;
  if (name !== undefined) one.block.name = `${one.block.name === name ? "" : (one.block.name ?? "")}${name}`;
  return [...drafts, ...projectDelta(speech, index, one, field, text)];
}

/**
 * Text is told as what is new. The fields of a tool call are merged by their readers, so each delta says all arguments so far; it waits
 * until there is an eighth more to say, or long arguments would take the square of their length.
 */
function projectDelta(speech: Speech, index: number, one: Speech["blocks"][number], field: string, text: string): Draft[] {
  if (field === "text") return [tell(speech, "content-block-delta", { index, delta: { type: "text-delta", text } })];
  if (field === "reasoning") return [tell(speech, "content-block-delta", { index, delta: { type: "reasoning-delta", reasoning: text } })];
  const length = String(one.block.args).length;
  if (one.told > 0 && length < one.told * 1.125) return [];
  one.told = length;
  return [tell(speech, "content-block-delta", { index, delta: { type: "block-delta", fields: { ...one.block } } })];
}

function finishBlocks(speech: Speech, isDue: (one: Speech["blocks"][number]) => boolean = () => true): Draft[] {
  return speech.blocks.flatMap((one, index) => {
    if (one.finished || !isDue(one)) return [];
    one.finished = true;
    return [tell(speech, "content-block-finish", { index, content: finishedBlock(one.block) })];
  });
}

/** By run_id the SDK tells messages apart that are spoken at the same place at once. */
function tell({ id, namespace, node }: Speech, event: string, more: object): Draft {
  return { method: "messages", namespace, node, data: JSON.stringify({ event, run_id: id, ...more }) };
}

/** Amounts are added up, and so are those inside: details of the input and the output. */
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
const isComplete = ({ response }: Speech) => typeof (response.finish_reason ?? response.stop_reason) === "string";
const isSame = (a: string[], b: string[]) => a.length === b.length && isUnder(a, b);
const isUnder = (namespace: string[], place: string[]) => place.every((segment, index) => segment === namespace[index]);
