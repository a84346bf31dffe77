import { isUnchanged, type Mark, markOf, textOf } from "./mark.ts";

/** The items that one row of a list stores. The last segment is the row of the newest version. */
export interface Segment {
  version: string;
  length: number;
}

/** The stored state of a list: its rows, with the first items first, and the marks of their items. */
export interface StoredList {
  segments: Segment[];
  marks: Mark[];
}

/** The row to store for a new version of a list. Its items follow the items of the version `base`. */
export interface ListVersion {
  base: string | undefined;
  text: string;
  stored: StoredList;
}

/**
 * How many rows of similar size a list may have before a new row absorbs them. This keeps the rows of a list few, while each item is
 * written only a few times.
 */
const fanout = 16;
/** Lists with fewer items than this are stored whole, as LangGraph's own saver reads them. */
const fewItems = 16;

/**
 * Returns what to store as the next version of a list. `before` describes the versions that are already stored. Throws the same errors as
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

/** Returns the leading segments whose items have all stayed the same. */
function segmentsWithin(segments: Segment[], kept: number): Segment[] {
  let end = 0;
  return segments.filter(({ length }) => {
    end += length;
    return end <= kept;
  });
}

/** Removes the last segments, which the new segment absorbs. Returns the length of the new segment. */
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
