import { isUnchanged, type Mark, markOf, textOf } from "./mark.ts";

/** Items that stand in one row; the row of the last segment is the version itself. */
export interface Segment {
  version: string;
  length: number;
}

/** A list that is stored: the rows that it is made of, first items first, and what is in them. */
export interface StoredList {
  segments: Segment[];
  marks: Mark[];
}

/** How a version of a list is to be stored: its own items, after those of the version that it is built on. */
export interface ListVersion {
  base: string | undefined;
  text: string;
  stored: StoredList;
}

/** A row takes the items of the rows before it in when there would be more than so many of their size. So a list has few rows, and an item is written few times. */
const fanout = 16;
/** Shorter lists are stored whole, as LangGraph's own saver reads them. */
const fewItems = 16;

/** The next version of a list, of which `before` is stored already. Throws what dumpState throws. */
export function nextVersion(version: string, items: unknown[], before: StoredList | undefined): ListVersion {
  const kept = countUnchanged(items, before?.marks ?? []);
  const segments = items.length < fewItems ? [] : segmentsWithin(before?.segments ?? [], kept);
  const length = gatherSmaller(segments, items.length - total(segments));
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

/** The first segments that hold nothing but items that are kept. */
function segmentsWithin(segments: Segment[], kept: number): Segment[] {
  let end = 0;
  return segments.filter(({ length }) => {
    end += length;
    return end <= kept;
  });
}

/** Takes the last segments off that the new one takes in, and returns how many items that one then has. */
function gatherSmaller(segments: Segment[], length: number): number {
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
