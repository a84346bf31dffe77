import { setTimeout as sleep } from "node:timers/promises";
import type { RawData, WebSocket } from "ws";

const pingMs = 15_000;
/** Beyond so much that waits for its turn, nothing more is read. */
const mostWaiting = 50;
const mostBytes = 1_000_000;

/** A WebSocket whose frames are taken one by one, and whose reader is waited for. */
export interface Frames {
  /** Sends texts, and waits until the client has taken them. */
  send(texts: string[]): Promise<void>;
  cut(): void;
  /** Whether nothing waits for its turn. */
  isIdle(): boolean;
  /** Aborts when the client has gone. */
  readonly gone: AbortSignal;
}

/**
 * Hands each frame to `onFrame` when the one before it is done with, so that a flood waits in the client's own buffers. A client that
 * takes nothing for `stalledSeconds`, or answers no ping, is cut off.
 */
export function openFrames(socket: WebSocket, stalledSeconds: number, onFrame: (frame: Buffer | undefined) => Promise<void>): Frames {
  const gone = new AbortController();
  const waiting: (Buffer | undefined)[] = [];
  let waitingBytes = 0;
  let unanswered = 0;
  let working = false;

  const isCrowded = () => waiting.length >= mostWaiting || waitingBytes >= mostBytes;

  async function work(): Promise<void> {
    working = true;
    while (waiting.length > 0 && !gone.signal.aborted) {
      const frame = waiting.shift();
      await onFrame(frame);
      waitingBytes -= frame?.length ?? 0;
      if (!isCrowded() && socket.isPaused) socket.resume();
    }
    working = false;
  }

  const beat = setInterval(() => {
    if (unanswered++ > 2) socket.terminate();
    else socket.ping();
  }, pingMs);
  socket.on("pong", () => {
    unanswered = 0;
  });
  socket.on("message", (data, isBinary) => {
    const frame = isBinary ? undefined : toBuffer(data);
    waiting.push(frame);
    waitingBytes += frame?.length ?? 0;
    if (isCrowded()) socket.pause();
    if (!working) void work().catch(() => socket.terminate());
  });
  socket.on("error", () => {}); // a frame that is too large, or a broken line: it shows as the close
  socket.on("close", () => {
    clearInterval(beat);
    gone.abort();
  });

  return {
    gone: gone.signal,
    async send(texts) {
      const taken = texts.map((text) => new Promise<void>((resolve) => socket.send(text, () => resolve())));
      const late = new AbortController();
      const stalled = sleep(stalledSeconds * 1000, "stalled", { signal: AbortSignal.any([late.signal, gone.signal]) }).catch(() => "gone");
      const outcome = await Promise.race([Promise.all(taken), stalled]);
      late.abort();
      if (outcome === "stalled") socket.terminate();
    },
    isIdle: () => waiting.length === 0,
    cut: () => socket.terminate(),
  };
}

function toBuffer(data: RawData): Buffer {
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer);
}
