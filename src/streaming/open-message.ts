import { type Block, finishedBlock, isOpenCall, type LoggedMessage, type Piece } from "./blocks.ts";
import type { Draft } from "./event.ts";

/** Token counts by kind. A kind may have an object with the counts of its sub-kinds. */
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
  /**
   * The content blocks of the message so far. For a tool call, `sentLength` is the number of characters of its arguments in the last event
   * that clients have received.
   */
  blocks: { key: string; block: Block; finished: boolean; sentLength: number }[];
  usage: Usage | undefined;
  response: Record<string, unknown>;
}

/** Adds pieces, token counts and response metadata to the message. Returns the events of the changed blocks, as drafts. */
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
    drafts.push(...finishBlocks(open, ({ block }) => !isOpenCall(block))); // only tool calls may stay open beside the new block
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
 * Returns the event about an addition to a block, as a draft. For a text, the event has only the new text. For a tool call, the event must
 * have all arguments so far, because clients replace the fields of the block. Such an event is sent only after the arguments have grown by
 * an eighth. Otherwise, the number of sent bytes would grow with the square of the arguments' length.
 */
function projectDelta(open: OpenMessage, index: number, one: OpenMessage["blocks"][number], field: string, text: string): Draft[] {
  if (field === "text") return [toDraft(open, "content-block-delta", { index, delta: { type: "text-delta", text } })];
  if (field === "reasoning") return [toDraft(open, "content-block-delta", { index, delta: { type: "reasoning-delta", reasoning: text } })];
  const length = String(one.block.args).length;
  if (one.sentLength > 0 && length < one.sentLength * 1.125) return [];
  one.sentLength = length;
  return [toDraft(open, "content-block-delta", { index, delta: { type: "block-delta", fields: { ...one.block } } })];
}

/** Finishes the unfinished blocks of a message for which `isDue` returns true. By default, finishes all of them. */
export function finishBlocks(open: OpenMessage, isDue: (one: OpenMessage["blocks"][number]) => boolean = () => true): Draft[] {
  return open.blocks.flatMap((one, index) => {
    if (one.finished || !isDue(one)) return [];
    one.finished = true;
    return [toDraft(open, "content-block-finish", { index, content: finishedBlock(one.block) })];
  });
}

/**
 * Returns an event of the message, as a draft. The field `run_id` contains the id of the message and not of the run. The SDK distinguishes
 * parallel messages in one namespace by this field.
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
