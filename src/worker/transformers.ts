import { convertToProtocolEvent, isNativeTransformer, type StreamTransformer } from "@langchain/langgraph";
import type { Claim } from "../runs/claim.ts";
import { wireJson } from "../state/wire-json.ts";
import { createProjection } from "../streaming/projection.ts";
import { graphIdOf } from "./attempt.ts";
import type { PendingEvent } from "./event-buffer.ts";
import type { GraphChunk } from "./translator.ts";

type ProtocolEvent = Parameters<StreamTransformer["process"]>[0];

/** The time to wait for the transformers' final values after the graph has ended, in milliseconds. */
const finishWithinMs = 10_000;
/**
 * The stream modes whose events a transformer may drop. Events of all other modes are always logged. They record the run itself, such as
 * its state, its steps and its questions.
 */
const droppable = ["custom", "tools", "messages"];

/** Passes the graph's stream through the stream transformers of the compiled graph. */
export interface Transforming {
  /** Returns the events to log for a chunk. `logged` are the events that would be logged without transformers. */
  onChunk(chunk: GraphChunk, logged: PendingEvent[]): PendingEvent[];
  /** Returns the events that the transformers produce after the graph has ended. */
  finish(): Promise<PendingEvent[]>;
  /** Returns the events that the transformers produce after the graph has failed. */
  fail(error: unknown): PendingEvent[];
}

/**
 * A channel that a transformer offers. Clients receive its items under the channel's name. LangGraph's own server reads channels through
 * the same methods.
 */
interface RemoteChannel {
  channelName: string;
  _wire(told: (item: unknown) => void): void;
  _close(): void;
}

/**
 * Starts the graph's own transformers. Returns undefined if the graph has none. LangChain's built-in transformers are left out, because the
 * protocol already has events for them.
 */
export function startTransforming(factories: (() => StreamTransformer<unknown>)[], claim: Claim): Transforming | undefined {
  const transformers = factories.map((make) => make()).filter((one) => !isNativeTransformer(one));
  return transformers.length === 0 ? undefined : new Transformers(transformers, claim);
}

class Transformers implements Transforming {
  readonly #transformers: StreamTransformer<unknown>[];
  readonly #projection: ReturnType<typeof createProjection>;
  readonly #channels: RemoteChannel[] = [];
  readonly #lastValues: [name: string, value: PromiseLike<unknown>][] = [];
  #produced: PendingEvent[] = [];
  #namespace: string[] = [];
  #loggedId = 0;
  #seq = 0;

  constructor(transformers: StreamTransformer<unknown>[], claim: Claim) {
    this.#transformers = transformers;
    this.#projection = createProjection({ base: 0, graphId: graphIdOf(claim), modes: claim.kwargs.stream_mode, answers: [] });
    for (const transformer of transformers) {
      for (const [name, value] of Object.entries(Object(transformer.init()))) this.#connect(name, value);
      transformer.onRegister?.({ push: (at, event) => this.#inject(at, event) });
    }
  }

  onChunk(chunk: GraphChunk, logged: PendingEvent[]): PendingEvent[] {
    const events = this.#protocolEvents(chunk, logged);
    const kept = events.map((event) => this.#process(event));
    const isDropped = droppable.includes(chunk[1]) && kept.length > 0 && kept.every((keep) => !keep);
    return [...this.#take(), ...(isDropped ? [] : logged)];
  }

  async finish(): Promise<PendingEvent[]> {
    const ends = this.#transformers.map((transformer) => transformer.finalize?.());
    for (const channel of this.#channels) channel._close();
    await settledOrLate(ends);
    const values = await settledOrLate(this.#lastValues.map(([, value]) => value));
    for (const [index, value] of values.entries())
      if (value !== undefined) this.#produced.push(toCustom([], this.#lastValues[index]?.[0] ?? "", value));
    return this.#take();
  }

  fail(error: unknown): PendingEvent[] {
    for (const transformer of this.#transformers) transformer.fail?.(error);
    for (const [, value] of this.#lastValues) value.then(undefined, () => {});
    return this.#take();
  }

  /**
   * Connects a value that a transformer offers. If the value is a channel, its items are logged as they arrive. If it is a promise, its
   * result is logged after the graph has ended.
   */
  #connect(name: string, value: unknown): void {
    if (isRemoteChannel(value)) {
      value._wire((item) => this.#produced.push(toCustom(this.#namespace, value.channelName, item)));
      this.#channels.push(value);
    } else if (isPromiseLike(value)) this.#lastValues.push([name, value]);
  }

  /** Passes an event to each transformer. Returns true if none of them drops the event. */
  #process(event: ProtocolEvent): boolean {
    const outer = this.#namespace;
    this.#namespace = event.params.namespace;
    const verdicts = this.#transformers.map((transformer) => transformer.process(event));
    this.#namespace = outer;
    return verdicts.every((keep) => keep);
  }

  /**
   * Passes an event that a transformer has created to all transformers, and logs it if none of them drops it. The log can store it only as
   * a custom event. If the event has another method, the name of this method becomes the name of the custom event's channel.
   */
  #inject(at: string[], event: ProtocolEvent): void {
    const placed = { ...event, seq: this.#seq++, params: { ...event.params, namespace: at } };
    if (!this.#process(placed)) return;
    const { data } = event.params;
    if (event.method === "custom") this.#produced.push({ event: eventName("custom", at), data: wireJson(data) });
    else this.#produced.push(toCustom(at, event.method.replace(/^custom:/, ""), data));
  }

  /**
   * Returns the protocol events for a chunk, which the transformers then process. For a message, these are the events of its content
   * blocks. For any other chunk, they have the payload that LangGraph streams.
   */
  #protocolEvents([at, mode, payload]: GraphChunk, logged: PendingEvent[]): ProtocolEvent[] {
    const drafts = logged.flatMap(({ event, data }) => this.#projection.project({ id: this.#loggedId++, at: Date.now(), event, data }));
    const messages = drafts.filter(({ method }) => method === "messages").map(({ json }) => ({ ...JSON.parse(json), seq: this.#seq++ }));
    if (mode === "messages") return messages;
    const shown = mode === "checkpoints" ? JSON.parse(logged.at(-1)?.data ?? "null") : payload;
    return [...messages, ...convertToProtocolEvent({ namespace: at, mode, payload: shown, seq: this.#seq++ })];
  }

  #take(): PendingEvent[] {
    const produced = this.#produced;
    this.#produced = [];
    return produced;
  }
}

const eventName = (mode: string, namespace: string[]) => [mode, ...namespace].join("|");

const toCustom = (namespace: string[], name: string, payload: unknown): PendingEvent => ({
  event: eventName("custom", namespace),
  data: wireJson({ name, payload }),
});

/** Waits for all values. The result for a value that rejects or comes too late is undefined. */
async function settledOrLate(values: unknown[]): Promise<unknown[]> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(late.resolve, finishWithinMs, undefined);
  const settled = values.map((value) => Promise.race([Promise.resolve(value).catch(() => undefined), late.promise]));
  return Promise.all(settled).finally(() => clearTimeout(timer));
}

function isRemoteChannel(value: unknown): value is RemoteChannel {
  const { channelName, _wire } = Object(value);
  return typeof channelName === "string" && typeof _wire === "function";
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof Object(value).then === "function";
}
