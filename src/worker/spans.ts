import type { BegunCall, CallEnd, CallWatcher, EndCall } from "../patches/timed-calls.ts";
import type { AttemptRecord, Span, SpanKind, SpanOutcome } from "../runs/timeline.ts";
import type { StreamedTask } from "./translator.ts";

/** The highest number of spans that an attempt keeps. Later spans are only counted. A span takes about 80 bytes. */
const mostSpans = 5_000;

/** The number of characters of an error's text that a span keeps. */
const mostErrorText = 300;

/** A node, a model call or a tool call that has begun. */
interface OpenSpan {
  kind: SpanKind;
  name: string;
  /** The number of the enclosing span, or 0 if there is none. */
  parent: number;
  startedAt: number;
}

type SpanEnd = Pick<CallEnd, "error" | "inputTokens" | "outputTokens"> & { outcome: SpanOutcome };

/**
 * Records the nodes, model calls and tool calls of an attempt, with their times. The times are milliseconds since the claim. They come from
 * the monotonic clock, so that changes of the system clock do not affect them.
 */
export class SpanRecorder implements CallWatcher {
  readonly #began = performance.now();
  /** The number that identifies the span of each LangGraph task, by the id of the task. */
  readonly #numbers = new Map<string, number>();
  readonly #open = new Map<number, OpenSpan>();
  /** The start time of the current super-step of each nested graph, by the graph's namespace, in milliseconds. */
  readonly #stepBegan = new Map<string, number>();
  /** The namespaces of the nested graphs that are still processing their input. */
  readonly #entering = new Set<string>();
  #spans: Span[] = [];
  #stored = 0;
  #nextNumber = 1;
  #dropped = 0;

  beginCall({ kind, name, namespace = "" }: BegunCall): EndCall {
    if (this.#isFull) {
      this.#drop();
      return () => {};
    }
    const parent = this.#enter(namespace);
    const number = this.#nextNumber++;
    this.#open.set(number, { kind, name, parent, startedAt: this.#now() });
    return (end) => this.#end(number, end);
  }

  /** Records that a task has begun or finished, as LangGraph's stream of tasks reports. */
  noteTask({ id, name, namespace, end }: StreamedTask): void {
    if (end) this.#end(this.#numbers.get(id), end);
    else if (this.#isFull) this.#drop();
    else this.#enter([...namespace, `${name}:${id}`].join("|"));
  }

  /**
   * Records that a task of the root graph has failed. LangGraph's stream has already reported the task as finished, so its span may have
   * been recorded as a success. In that case, the span is corrected.
   */
  noteFailure(taskId: unknown, error: unknown): void {
    const number = typeof taskId === "string" ? this.#numbers.get(taskId) : undefined;
    this.#end(number, { outcome: "error" });
    const span = this.#spans.findLast(([ended]) => ended === number);
    if (span) span.splice(6, 4, "error", span[7] ?? 0, span[8] ?? 0, String(error).slice(0, mostErrorText));
  }

  /**
   * Records that a super-step of a nested graph begins. Before step 0, the graph only processes its input. That step has no nodes and gets
   * no spans.
   */
  noteNestedStep(namespace: string, step: number): void {
    if (this.#isFull) return;
    if (step < 0) this.#entering.add(namespace);
    else this.#entering.delete(namespace);
    this.#stepBegan.set(namespace, this.#now());
  }

  /** Records that a task of a nested graph has finished. `name` is undefined if the caller does not know the task's name. */
  noteNestedTask(namespace: string, taskId: string, name: string | undefined, end: CallEnd): void {
    if (this.#entering.has(namespace)) return;
    if (this.#isFull && !this.#numbers.has(taskId)) return void this.#drop();
    if (name !== undefined) this.#enter(`${namespace}|${name}:${taskId}`);
    this.#end(this.#numbers.get(taskId), end);
  }

  /**
   * Returns the spans that were recorded since the last call, as JSON text for the next checkpoint. Returns undefined if there are none.
   */
  takeNew(): string | undefined {
    if (this.#stored === this.#spans.length) return undefined;
    const spans = this.#spans.slice(this.#stored);
    this.#stored = this.#spans.length;
    return JSON.stringify(spans);
  }

  /** Returns the record of the attempt with all of its spans. First ends the spans that are still open. */
  close(attempt: Omit<AttemptRecord, "ended" | "spans" | "dropped">): AttemptRecord {
    const now = this.#now();
    for (const [number, span] of this.#open) this.#add(number, span, now, { outcome: "unfinished" });
    this.#open.clear();
    return { ...attempt, ended: (attempt.claimed ?? 0) + now, spans: this.#spans, ...(this.#dropped > 0 && { dropped: this.#dropped }) };
  }

  /**
   * Begins a span for each task in the namespace that has none yet. Returns the number of the innermost task's span, or 0 if the namespace
   * contains no task. In a nested graph, the span of a task gets the time at which the current super-step began.
   */
  #enter(namespace: string): number {
    let parent = 0;
    let graph = "";
    for (const segment of namespace.split("|")) {
      const [name = "", id] = segment.split(":"); // a segment without an id is the number of a graph that the node has called
      if (id !== undefined) {
        const known = this.#numbers.get(id);
        const number = known ?? this.#nextNumber++;
        if (known === undefined) {
          this.#numbers.set(id, number);
          this.#open.set(number, { kind: "node", name, parent, startedAt: this.#stepBegan.get(graph) ?? this.#now() });
        }
        parent = number;
      }
      graph = graph === "" ? segment : `${graph}|${segment}`;
    }
    return parent;
  }

  #end(number: number | undefined, end: CallEnd): void {
    const span = number === undefined ? undefined : this.#open.get(number);
    if (number === undefined || !span) return;
    this.#open.delete(number);
    this.#add(number, span, this.#now(), end);
  }

  #add(number: number, { parent, kind, name, startedAt }: OpenSpan, endedAt: number, end: SpanEnd): void {
    if (this.#isFull) return void this.#drop();
    const { outcome, error, inputTokens, outputTokens } = end;
    const span: Span = [number, parent, kind, name, startedAt, endedAt, outcome];
    if (inputTokens !== undefined || outputTokens !== undefined || error !== undefined) span.push(inputTokens ?? 0, outputTokens ?? 0);
    if (error !== undefined) span.push(error.slice(0, mostErrorText));
    this.#spans.push(span);
  }

  /**
   * True if the attempt has recorded the highest number of spans. Further spans are only counted, so that a long run needs no more memory.
   */
  get #isFull(): boolean {
    return this.#spans.length >= mostSpans;
  }

  /** Counts a span that is not kept. Returns the number of such spans so far. */
  #drop(): number {
    return ++this.#dropped;
  }

  #now(): number {
    return Math.round((performance.now() - this.#began) * 10) / 10;
  }
}
