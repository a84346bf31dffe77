import { convertToProtocolEvent, isNativeTransformer, type StreamTransformer } from "@langchain/langgraph";
import type { Claim } from "../runs/claim.ts";
import { wireJson } from "../state/wire-json.ts";
import { createProjection } from "../streaming/projection.ts";
import { graphIdOf } from "./attempt.ts";
import type { PendingEvent } from "./event-buffer.ts";
import type { GraphChunk } from "./translator.ts";

type ProtocolEvent = Parameters<StreamTransformer["process"]>[0];

/** How long the last values of transformers may take when the graph has ended. */
const finishWithinMs = 10_000;
/** The events that a transformer may drop. All others are the run's record: its state, its steps, its questions. */
const droppable = ["custom", "tools", "messages"];

/** Runs the transformers that a graph was compiled with on what it streams. */
export interface Transforming {
  /** Returns what to log for a chunk, given what the chunk itself logs. */
  onChunk(chunk: GraphChunk, logged: PendingEvent[]): PendingEvent[];
  /** The graph has ended. Returns what the transformers say at last. */
  finish(): Promise<PendingEvent[]>;
  /** The graph has failed. */
  fail(error: unknown): PendingEvent[];
}

/** A channel whose items go to remote clients under its name. LangGraph wires it in the same way. */
interface RemoteChannel {
  channelName: string;
  _wire(told: (item: unknown) => void): void;
  _close(): void;
}

/**
 * Starts the transformers; undefined when the graph has none of its author's. Those that LangChain brings along are left out: what
 * they tell is on the protocol's own channels already.
 */
export function startTransforming(factories: (() => StreamTransformer<unknown>)[], claim: Claim): Transforming | undefined {
  const transformers = factories.map((make) => make()).filter((one) => !isNativeTransformer(one));
  if (transformers.length === 0) return undefined;
  const projection = createProjection({ base: 0, graphId: graphIdOf(claim), modes: claim.kwargs.stream_mode, answers: [] });
  const channels: RemoteChannel[] = [];
  const lastValues: [name: string, value: PromiseLike<unknown>][] = [];
  let told: PendingEvent[] = [];
  let namespace: string[] = [];
  let loggedId = 0;
  let seq = 0;

  for (const transformer of transformers) {
    for (const [key, value] of Object.entries(Object(transformer.init()))) {
      if (isRemoteChannel(value)) {
        value._wire((item) => told.push(toCustom(namespace, value.channelName, item)));
        channels.push(value);
      } else if (isPromiseLike(value)) lastValues.push([key, value]);
    }
    transformer.onRegister?.({ push: inject });
  }

  function process(event: ProtocolEvent): boolean {
    const outer = namespace;
    namespace = event.params.namespace;
    const verdicts = transformers.map((transformer) => transformer.process(event));
    namespace = outer;
    return verdicts.every((keep) => keep);
  }

  /** An event that a transformer made up. The log has no place for one of the protocol's own, so it goes to a channel of its name. */
  function inject(at: string[], event: ProtocolEvent): void {
    const placed = { ...event, seq: seq++, params: { ...event.params, namespace: at } };
    if (!process(placed)) return;
    const { data } = event.params;
    if (event.method === "custom") told.push({ event: eventName("custom", at), data: wireJson(data) });
    else told.push(toCustom(at, event.method.replace(/^custom:/, ""), data));
  }

  /** Messages are shown block by block, as the protocol tells them; the rest as LangGraph streams it. */
  function protocolEvents([at, mode, payload]: GraphChunk, logged: PendingEvent[]): { messages: ProtocolEvent[]; own: ProtocolEvent[] } {
    const drafts = logged.flatMap(({ event, data }) => projection.project({ id: loggedId++, at: Date.now(), event, data }));
    const messages = drafts.filter(({ method }) => method === "messages").map(({ json }) => ({ ...JSON.parse(json), seq: seq++ }));
    if (mode === "messages") return { messages, own: [] };
    const told = mode === "checkpoints" ? JSON.parse(logged.at(-1)?.data ?? "null") : payload;
    return { messages, own: convertToProtocolEvent({ namespace: at, mode, payload: told, seq: seq++ }) };
  }

  function take(): PendingEvent[] {
    const taken = told;
    told = [];
    return taken;
  }

  return {
    onChunk(chunk, logged) {
      const { messages, own } = protocolEvents(chunk, logged);
      const kept = [...messages, ...own].map(process);
      const isDropped = droppable.includes(chunk[1]) && kept.length > 0 && kept.every((keep) => !keep);
      return [...take(), ...(isDropped ? [] : logged)];
    },
    async finish() {
      const ends = transformers.map((transformer) => transformer.finalize?.());
      for (const channel of channels) channel._close();
      await settledOrLate(ends);
      for (const [index, value] of (await settledOrLate(lastValues.map(([, value]) => value))).entries())
        if (value !== undefined) told.push(toCustom([], lastValues[index]?.[0] ?? "", value));
      return take();
    },
    fail(error) {
      for (const transformer of transformers) transformer.fail?.(error);
      for (const [, value] of lastValues) value.then(undefined, () => {});
      return take();
    },
  };
}

const eventName = (mode: string, namespace: string[]) => [mode, ...namespace].join("|");

const toCustom = (namespace: string[], name: string, payload: unknown): PendingEvent => ({
  event: eventName("custom", namespace),
  data: wireJson({ name, payload }),
});

/** Waits for each value. One that is rejected, or takes too long, is undefined. */
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
