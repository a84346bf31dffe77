import { setTimeout as sleep } from "node:timers/promises";
import type { RawData, WebSocket } from "ws";

const pingMs = 15_000;
/**
 * If this many frames wait to be handled, the service stops reading from the socket. It also stops if the waiting frames have more than
 * `mostBytes` bytes in total.
 */
const mostWaiting = 50;
const mostBytes = 1_000_000;

type Frame = Buffer | undefined;

/**
 * Handles the frames of a WebSocket one at a time. `onFrame` gets the next frame only when it has finished with the previous one. For a
 * binary frame, `onFrame` gets undefined.
 *
 * If too many frames wait, the socket is not read until some of them are handled, so that the client has to wait with further frames. A
 * client is disconnected if it reads nothing for `stalledSeconds`, or if it does not respond to pings.
 */
export class Frames {
  readonly #socket: WebSocket;
  readonly #stalledMs: number;
  readonly #onFrame: (frame: Frame) => Promise<void>;
  readonly #gone = new AbortController();
  readonly #waiting: Frame[] = [];
  #waitingBytes = 0;
  #unanswered = 0;
  #working = false;

  constructor(socket: WebSocket, stalledSeconds: number, onFrame: (frame: Frame) => Promise<void>) {
    this.#socket = socket;
    this.#stalledMs = stalledSeconds * 1000;
    this.#onFrame = onFrame;
    const beat = setInterval(() => this.#ping(), pingMs);
    socket.on("pong", () => {
      this.#unanswered = 0;
    });
    socket.on("message", (data, isBinary) => this.#take(isBinary ? undefined : toBuffer(data)));
    socket.on("error", () => {}); // a frame was too large, or the connection broke; in both cases the close event follows
    socket.on("close", () => {
      clearInterval(beat);
      this.#gone.abort();
    });
  }

  /** Aborts when the client has disconnected. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** True if no frame waits to be handled. */
  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  /** Sends texts, and waits until the operating system has taken them. Disconnects a client that reads too slowly. */
  async send(texts: string[]): Promise<void> {
    const taken = texts.map((text) => new Promise<void>((resolve) => this.#socket.send(text, () => resolve())));
    const late = new AbortController();
    const signal = AbortSignal.any([late.signal, this.gone]);
    const stalled = sleep(this.#stalledMs, "stalled", { signal }).catch(() => "gone");
    const outcome = await Promise.race([Promise.all(taken), stalled]);
    late.abort();
    if (outcome === "stalled") this.cut();
  }

  cut(): void {
    this.#socket.terminate();
  }

  #ping(): void {
    if (this.#unanswered++ > 2) this.cut();
    else this.#socket.ping();
  }

  #take(frame: Frame): void {
    this.#waiting.push(frame);
    this.#waitingBytes += frame?.length ?? 0;
    if (this.#isCrowded()) this.#socket.pause();
    if (!this.#working) void this.#work().catch(() => this.cut());
  }

  async #work(): Promise<void> {
    this.#working = true;
    while (this.#waiting.length > 0 && !this.gone.aborted) {
      const frame = this.#waiting.shift();
      await this.#onFrame(frame);
      this.#waitingBytes -= frame?.length ?? 0;
      if (!this.#isCrowded() && this.#socket.isPaused) this.#socket.resume();
    }
    this.#working = false;
  }

  #isCrowded(): boolean {
    return this.#waiting.length >= mostWaiting || this.#waitingBytes >= mostBytes;
  }
}

function toBuffer(data: RawData): Buffer {
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer);
}
