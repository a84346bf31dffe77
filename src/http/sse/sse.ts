import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
import type { RunEvent } from "../../events/log.ts";
import { goneOf } from "../gone.ts";

const heartbeatMs = 5_000;
/**
 * A comment that keeps the connection open. No blank line follows the comment, because the SDK would read a blank line as the end of an
 * event, and report an empty event.
 */
const heartbeat = ": heartbeat\n";

export interface EventStream {
  /** Writes events, and waits until the connection can take more. */
  send(events: RunEvent[]): Promise<void>;
  /** Writes frames that the caller has encoded, and waits until the connection can take more. */
  write(frames: string): Promise<void>;
  /** Ends the stream cleanly. Call it only after the run has ended and all its events have been sent. */
  end(): void;
  /**
   * Closes the connection abruptly. Call it whenever a stream stops before its run has ended, because the SDK interprets a clean end as the
   * end of the run.
   */
  cut(): void;
  /** Aborts when the client has disconnected. */
  readonly gone: AbortSignal;
}

/**
 * Turns the reply into an event stream, and immediately sends the headers and a comment. A client that reads nothing for `stalledSeconds`
 * is disconnected. It can then reconnect with its Last-Event-ID.
 */
export function openEventStream(reply: FastifyReply, stalledSeconds: number): EventStream {
  const headers = {
    ...reply.getHeaders(),
    "content-type": "text/event-stream",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    connection: "keep-alive",
  };
  reply.hijack();
  const { raw } = reply;
  const gone = goneOf(raw);
  raw.on("error", () => {}); // after a connection error, the `close` event follows as well
  raw.writeHead(200, headers as Record<string, string>);
  raw.write(heartbeat);
  const beat = setInterval(() => {
    if (!raw.writableNeedDrain) raw.write(heartbeat);
  }, heartbeatMs);
  const stopBeat = () => clearInterval(beat);
  if (gone.aborted) stopBeat();
  gone.addEventListener("abort", stopBeat);

  const write = async (bytes: string | Buffer) => {
    const flowing = raw.write(bytes);
    if (!flowing) await drained(raw, gone, stalledSeconds * 1000);
  };

  return {
    gone,
    send: (events) => write(framesOf(events)),
    write,
    end() {
      clearInterval(beat);
      raw.end();
    },
    cut() {
      raw.destroy();
    },
  };
}

async function drained(raw: ServerResponse, gone: AbortSignal, stalledMs: number): Promise<void> {
  const stalled = AbortSignal.timeout(stalledMs);
  await once(raw, "drain", { signal: AbortSignal.any([gone, stalled]) }).catch(() => {
    if (stalled.aborted) raw.destroy();
  });
}

/** The encoded form of lists of events. All clients that receive the same list share this form. */
const frames = new WeakMap<RunEvent[], Buffer>();

function framesOf(events: RunEvent[]): Buffer {
  const made = frames.get(events) ?? Buffer.from(events.map(toFrame).join(""));
  frames.set(events, made);
  return made;
}

function toFrame({ id, event, data }: RunEvent): string {
  return `event: ${event}\ndata: ${data}\nid: ${id}\n\n`;
}
