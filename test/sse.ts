import { expect } from "vitest";

/** An event as it is sent. */
export interface WireEvent {
  event: string;
  data: unknown;
  id: string | undefined;
}

/** Reads an event stream frame by frame, as the text that clients may depend on. */
export async function* readFrames(response: Response): AsyncGenerator<string> {
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 2);
    }
  }
}

export async function* readEvents(response: Response): AsyncGenerator<WireEvent> {
  for await (const frame of readFrames(response)) {
    yield parseFrame(frame);
  }
}

function parseFrame(frame: string): WireEvent {
  const field = (name: string) =>
    frame
      .split("\n")
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2);
  return { event: field("event") ?? "", data: JSON.parse(field("data") ?? "null"), id: field("id") };
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

/** Returns the first `count` items of a source that may have no end. */
export async function take<T>(source: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of source) if (taken.push(item) === count) break;
  return taken;
}

/** Polls an expectation that becomes true by itself, however busy the machine is. */
export const eventually = <T>(fact: () => T) => expect.poll(fact);

/** Returns how many streams and sockets a service has open, by its own count. */
export async function streamsOpenAt(url = ""): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics?format=prometheus`)).text();
  return Number(/^ensemble_streams_open (\d+)$/m.exec(metrics)?.[1]);
}
