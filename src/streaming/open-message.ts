import { type Block, finishedBlock, isOpenCall, type LoggedMessage, type Piece } from "./blocks.ts";
import type { Draft } from "./event.ts";

/** Token counts by kind. The count of a kind may be an object with counts of sub-kinds. */
interface Usage {
  [kind: string]: number | Usage;
}

/** A message that is being streamed. */
export interface OpenMessage {
  /** The key that all chunks of this message share. No other message of the run has the same key. */
  key: string;
  id: string;
  namespace: string[];
  node: string | undefined;
  /** The blocks of the message. `sentLength` is the length of a tool call's arguments that clients have already received. */
  blocks: { key: string; block: Block; finished: boolean; sentLength: number }[];
  usage: Usage | undefined;
  response: Record<string, unknown>;
}

/** Adds pieces to the message, with their token counts and response metadata. Returns the events of its blocks, as drafts. */
export function addPieces(open: OpenMessage, pieces: Piece[], { usage_metadata, response_metadata }: LoggedMessage): Draft[] {
  const drafts = pieces.flatMap((piece) => addPiece(open, piece));
  open.usage = addUsage(open.usage, usage_metadata);
  Object.assign(open.response, response_metadata);
  return drafts;
}

function addPiece(open: OpenMessage, { key, empty, append }: Piece): Draft[] {
  const drafts: Draft[] = [];
  let index = open.blocks.findIndex((one) => one.key === key);
  if (index < 0) {
    drafts.push(...finishBlocks(open, ({ block }) => !isOpenCall(block))); // only tool calls may be open at the same time
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
 * Returns the delta of a block. A text delta has only the new text. The delta of a tool call must have all arguments so far, because
 * clients replace its fields. It is sent only when the arguments have grown by an eighth. Otherwise, the number of sent bytes would grow
 * with the square of their length.
 */
function projectDelta(open: OpenMessage, index: number, one: OpenMessage["blocks"][number], field: string, text: string): Draft[] {
  if (field === "text") return [toDraft(open, "content-block-delta", { index, delta: { type: "text-delta", text } })];
  if (field === "reasoning") return [toDraft(open, "content-block-delta", { index, delta: { type: "reasoning-delta", reasoning: text } })];
  const length = String(one.block.args).length;
  if (one.sentLength > 0 && length < one.sentLength * 1.125) return [];
  one.sentLength = length;
  return [toDraft(open, "content-block-delta", { index, delta: { type: "block-delta", fields: { ...one.block } } })];
}

/** Finishes those blocks of a message for which `isDue` returns true. By default, finishes all blocks. */
export function finishBlocks(open: OpenMessage, isDue: (one: OpenMessage["blocks"][number]) => boolean = () => true): Draft[] {
  return open.blocks.flatMap((one, index) => {
    if (one.finished || !isDue(one)) return [];
    one.finished = true;
    return [toDraft(open, "content-block-finish", { index, content: finishedBlock(one.block) })];
  });
}

/**
 * Returns an event of the message, as a draft. `run_id` is the message's id, because the SDK uses this field to distinguish parallel
 * messages in one namespace.
 */
export function toDraft({ id, namespace, node }: OpenMessage, event: string, more: object): Draft {
  return { method: "messages", namespace, node, data: JSON.stringify({ event, run_id: id, ...more }) };
}

/** Adds up token counts, including the nested kinds. */
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

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
