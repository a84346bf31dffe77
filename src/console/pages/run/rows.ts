import type { Attempt, Timeline } from "./data.ts";
import type { AttemptItem, Item } from "./spans.ts";

/** The row for a time in which the run waits for a worker, before its first attempt or before its next one. */
interface WaitingRow {
  kind: "waiting";
  key: string;
  from: number;
  to: number | undefined;
}

interface AttemptRow {
  kind: "attempt";
  key: string;
  item: AttemptItem;
  hasChildren: boolean;
}

/** The row between an attempt that did not end the run and the next attempt. */
interface HandoverRow {
  kind: "handover";
  key: string;
  before: Attempt;
  /** The attempt that continues the run. Undefined if no attempt has begun yet. */
  after: Attempt | undefined;
  at: number | undefined;
}

interface SpanRow {
  kind: "span";
  key: string;
  item: Item;
  hasChildren: boolean;
}

export type Row = WaitingRow | AttemptRow | HandoverRow | SpanRow;

interface Shown {
  timeline: Timeline;
  trees: AttemptItem[];
  /** The rows of the nodes that run now. They belong to the last attempt of the run. */
  running: Item[];
  /** The keys of the folded rows. */
  closed: ReadonlySet<string>;
}

/** Returns the rows of the chart from top to bottom. */
export function rowsOf({ timeline, trees, running, closed }: Shown): Row[] {
  const rows: Row[] = [];
  const due = Date.parse(timeline.due_at);
  const claimed = trees.find(({ from }) => from !== undefined)?.from;
  const hasWaited = trees.length === 0 || (claimed !== undefined && claimed - due >= 1);
  if (hasWaited) rows.push({ kind: "waiting", key: "waiting", from: due, to: claimed ?? endOf(timeline) });
  trees.forEach((item, index) => {
    pushAttempt(rows, item, index === trees.length - 1 ? running : [], closed);
    const row = handoverAfter(trees, index);
    if (row) rows.push(row);
  });
  const last = trees.at(-1);
  if (timeline.status === "pending" && last?.to !== undefined)
    rows.push({ kind: "waiting", key: "waiting-again", from: last.to, to: undefined });
  return rows;
}

const endOf = ({ ended_at }: Timeline) => (ended_at === null ? undefined : Date.parse(ended_at));

function pushAttempt(rows: Row[], item: AttemptItem, running: Item[], closed: ReadonlySet<string>): void {
  const key = `a${item.attempt.attempt}`;
  const inside = [...item.roots, ...running];
  rows.push({ kind: "attempt", key, item, hasChildren: inside.length > 0 });
  if (!closed.has(key)) pushSpans(rows, inside, closed);
}

function pushSpans(rows: Row[], items: Item[], closed: ReadonlySet<string>): void {
  for (const item of items) {
    const key = `a${item.attempt}s${item.span.id}`;
    const hasChildren = item.children.length > 0;
    rows.push({ kind: "span", key, item, hasChildren });
    if (hasChildren && !closed.has(key)) pushSpans(rows, item.children, closed);
  }
}

const ownEnds = new Set<Attempt["outcome"]>(["success", "error", "timeout", "interrupted"]);

function handoverAfter(trees: AttemptItem[], index: number): HandoverRow | undefined {
  const item = trees[index];
  const after = trees[index + 1];
  if (!item || ownEnds.has(item.attempt.outcome)) return undefined;
  if (!after && item.attempt.outcome === null) return undefined;
  const at = after?.from ?? item.to;
  return { kind: "handover", key: `h${item.attempt.attempt}`, before: item.attempt, after: after?.attempt, at };
}

/** Returns the name of an attempt's worker for a person: its host and process id. */
export const workerName = ({ host, pid, worker_id }: Attempt): string =>
  host !== null ? `${host}/${pid ?? "?"}` : worker_id !== null ? `worker ${worker_id.slice(-8)}` : "an unknown worker";

/** Returns a sentence that says how an attempt ended and which worker continued the run. */
export function handoverSentence({ before, after }: Pick<HandoverRow, "before" | "after">): string {
  const [old, next] = [workerName(before), after && workerName(after)];
  if (before.outcome === "crashed") return `Worker ${old} died. ${next ? `Taken over by ${next}.` : "No worker took over."}`;
  if (before.outcome === "lost") return `Worker ${old} lost the run. ${next ? `Taken over by ${next}.` : "No worker took over."}`;
  if (before.outcome === "released")
    return `Worker ${old} returned the run to the queue. ${next ? `Continued by ${next}.` : "It waits again."}`;
  return `Nobody recorded how attempt ${before.attempt} ended. ${next ? `Continued by ${next}.` : ""}`;
}
