/** An event of an event stream. `data` is the text from the stream, which is not parsed yet. */
export interface StreamEvent {
  id: string;
  event: string;
  data: string;
}

/** Reads the events of a stream. Returns when the stream ends cleanly, and throws if the connection breaks. */
export async function* readEventStream(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  let rest = "";
  for await (const chunk of body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)) {
    const frames = (rest + chunk).split("\n\n");
    rest = frames.pop() ?? "";
    for (const frame of frames) {
      const event = eventIn(frame);
      if (event) yield event;
    }
  }
}

/** Returns the event in a frame of the stream. Returns undefined for a frame that has only comments. */
function eventIn(frame: string): StreamEvent | undefined {
  const fields = { id: "", event: "", data: "" };
  for (const line of frame.split("\n")) {
    const colon = line.indexOf(": ");
    const name = line.slice(0, colon);
    if (name === "id" || name === "event" || name === "data") fields[name] = line.slice(colon + 2);
  }
  return fields.event === "" ? undefined : fields;
}
