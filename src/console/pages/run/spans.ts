import type { Attempt, Span, Timeline } from "./data.ts";

/** A span with its times in Unix milliseconds, and the spans inside it. */
export interface Item {
  span: Span;
  attempt: number;
  from: number;
  /** The end of the span. Undefined while the span runs. */
  to: number | undefined;
  depth: number;
  /** The names of the nodes around the span and its own name, joined by colons as in the drawing of the graph. */
  path: string;
  children: Item[];
  /** The input and output tokens of all model calls in the span. */
  input: number;
  output: number;
  /** The cost of all model calls in the span, as far as their prices are known. */
  dollars: number;
}

/** An attempt with its times in Unix milliseconds. */
export interface AttemptItem {
  attempt: Attempt;
  from: number | undefined;
  to: number | undefined;
  roots: Item[];
}

/** A node that runs now: the id of its task, and its path in the graph. */
export interface RunningNode {
  id: string;
  path: string;
}

const ms = (time: string | null): number | undefined => (time === null ? undefined : Date.parse(time));

/** Returns the attempts of a timeline, each with its spans as trees. Spans are sorted by time. */
export const treesOf = ({ attempts }: Timeline): AttemptItem[] =>
  attempts.map((attempt) => ({
    attempt,
    from: ms(attempt.claimed_at),
    to: ms(attempt.ended_at),
    roots: treeOf(attempt),
  }));

function treeOf({ attempt, spans }: Attempt): Item[] {
  const items = new Map<number, Item>();
  const inOrder = spans.toSorted((a, b) => Date.parse(a.started_at) - Date.parse(b.started_at) || a.id - b.id);
  for (const span of inOrder) items.set(span.id, itemOf(span, attempt));
  const roots: Item[] = [];
  for (const item of items.values()) {
    const parent = item.span.parent === null ? undefined : items.get(item.span.parent);
    (parent?.children ?? roots).push(item);
  }
  for (const root of roots) complete(root, 0, "");
  return roots;
}

const itemOf = (span: Span, attempt: number): Item => ({
  span,
  attempt,
  from: Date.parse(span.started_at),
  to: Date.parse(span.ended_at),
  depth: 0,
  path: "",
  children: [],
  input: span.input_tokens ?? 0,
  output: span.output_tokens ?? 0,
  dollars: span.dollars ?? 0,
});

/**
 * Sets the depth and the path of an item and of all items inside it. Adds the tokens and dollars of the inner items to those of the items
 * around them.
 */
function complete(item: Item, depth: number, around: string): void {
  item.depth = depth;
  item.path = around === "" ? item.span.name : `${around}:${item.span.name}`;
  for (const child of item.children) {
    complete(child, depth + 1, item.path);
    item.input += child.input;
    item.output += child.output;
    item.dollars += child.dollars;
  }
}

/**
 * Returns an item for each node that runs now. The start of such a node is not known. The item therefore starts at `since`, the time of the
 * last stored step.
 */
export function runningItems(running: RunningNode[], attempt: number, since: number): Item[] {
  return running.map(({ id, path }, index) => ({
    span: {
      id: -1 - index,
      parent: null,
      kind: "node",
      name: path.replaceAll(":", " › "),
      started_at: new Date(since).toISOString(),
      ended_at: new Date(since).toISOString(),
      outcome: "unfinished",
      input_tokens: null,
      output_tokens: null,
      dollars: null,
      error: null,
    },
    attempt,
    from: since,
    to: undefined,
    depth: 0,
    path: path || id,
    children: [],
    input: 0,
    output: 0,
    dollars: 0,
  }));
}

/** Calls `visit` with each item, and then with the items inside it. */
export function walk(items: Item[], visit: (item: Item) => void): void {
  for (const item of items) {
    visit(item);
    walk(item.children, visit);
  }
}

/** Returns the tokens of all model calls of a run. */
export function tokensOf(trees: AttemptItem[]): { input: number; output: number } {
  const sum = { input: 0, output: 0 };
  for (const { input, output } of trees.flatMap(({ roots }) => roots)) {
    sum.input += input;
    sum.output += output;
  }
  return sum;
}
