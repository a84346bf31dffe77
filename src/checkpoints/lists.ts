import { isUnchanged, type Mark, markOf, textOf } from "./mark.ts";

/** A stored row of a list: its version, and the number of items in it. */
export interface Segment {
  version: string;
  length: number;
}

/**
 * The stored state of a list: its rows in the order of the items, and one mark for each item. The mark shows whether the item has changed
 * since it was stored.
 */
export interface StoredList {
  segments: Segment[];
  marks: Mark[];
}

/**
 * The row to store for a new version of a list. `text` holds the row's items. If there is a `base`, the list begins with the items of that
 * version. Without a `base`, the row holds the whole list.
 */
export interface ListVersion {
  base: string | undefined;
  text: string;
  stored: StoredList;
}

/**
 * When a new row is one of this many rows of similar size, it also stores the items of the others and takes their place. A list thus
 * consists of few rows, and each item is written only a few times.
 */
const fanout = 16;
/** Lists with fewer items than this are stored as a whole, in the form that LangGraph's own saver can read. */
const fewItems = 16;

/**
 * Returns the row to store for the next version of a list. `before` describes the list's stored rows. Throws the same errors as
 * `dumpState`.
 */
export function nextVersion(version: string, items: unknown[], before: StoredList | undefined): ListVersion {
  const kept = countUnchanged(items, before?.marks ?? []);
  const segments = items.length < fewItems ? [] : segmentsWithin(before?.segments ?? [], kept);
  const length = absorbSmaller(segments, items.length - total(segments));
  const own = items.slice(items.length - length);
  const marks = [...(before?.marks.slice(0, kept) ?? []), ...items.slice(kept).map(markOf)];
  const texts = own.map((item, index) => textFrom(marks[items.length - length + index], item));
  return {
    base: segments.at(-1)?.version,
    text: `[${texts.join(",")}]`,
    stored: { segments: [...segments, { version, length }], marks },
  };
}

function countUnchanged(items: unknown[], marks: Mark[]): number {
  let count = 0;
  while (count < items.length && count < marks.length && isUnchanged(marks[count], items[count])) count++;
  return count;
}

/**
 * Returns the first segments (stored rows) of a list, up to the first one with a changed item. `kept` is the number of items before the
 * first changed item.
 */
function segmentsWithin(segments: Segment[], kept: number): Segment[] {
  let end = 0;
  return segments.filter(({ length }) => {
    end += length;
    return end <= kept;
  });
}

/**
 * Removes the last segments (stored rows) if too many of them are small, so that a new segment can store their items. Returns the number of
 * items in the new segment.
 */
function absorbSmaller(segments: Segment[], length: number): number {
  let own = length;
  for (;;) {
    const smaller = segments.length - 1 - segments.findLastIndex((segment) => sizeOf(segment.length) > sizeOf(own));
    if (smaller < fanout - 1) return own;
    own += total(segments.splice(segments.length - smaller));
  }
}

const sizeOf = (length: number) => Math.floor(Math.log(Math.max(1, length)) / Math.log(fanout) + 1e-9);
const total = (segments: Segment[]) => segments.reduce((sum, { length }) => sum + length, 0);
const textFrom = (mark: Mark | undefined, item: unknown) => (mark?.kind === "text" ? mark.text : textOf(item));
