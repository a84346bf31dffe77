import { isUnchanged, type Mark, markOf, textOf } from "./mark.ts";

/** The items of one row. The row of the last segment is the version itself. */
export interface Segment {
  version: string;
  length: number;
}

/** A stored list: its rows, first items first, and the marks of their items. */
export interface StoredList {
  segments: Segment[];
  marks: Mark[];
}

/** The row to store for a version of a list. Its own items follow those of the version `base`. */
export interface ListVersion {
  base: string | undefined;
  text: string;
  stored: StoredList;
}

/** The number of rows of one size at which a new row absorbs them. So a list has few rows, and each item is written only a few times. */
const fanout = 16;
/** Lists with fewer items are stored whole, as LangGraph's own saver reads them. */
const fewItems = 16;

/** Returns the next version of a list, of which `before` is already stored. Throws what dumpState throws. */
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

/** Returns the leading segments whose items are all kept. */
function segmentsWithin(segments: Segment[], kept: number): Segment[] {
  let end = 0;
  return segments.filter(({ length }) => {
    end += length;
    return end <= kept;
  });
}

/** Removes the last segments that the new one absorbs. Returns the length of the new segment. */
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
