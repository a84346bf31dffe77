import { useEffect, useState, useSyncExternalStore } from "react";
import { ApiFailure, sentenceOf } from "../../api.ts";
import { prefix } from "../../boot.ts";
import { reportLost } from "../../connection.ts";
import { credentialHeaders, forgetCredential } from "../../credential.ts";
import { readEventStream, type StreamEvent } from "../../parts/sse.ts";
import type { RunPath } from "./data.ts";
import type { RunningNode } from "./spans.ts";

/** The maximum number of events that the page keeps. If there are more, the oldest events are dropped. */
export const mostEvents = 20_000;

export interface Followed {
  events: StreamEvent[];
  /** The number of events that were dropped. */
  forgotten: number;
  /** The nodes that run now. Empty if the run's stream has no events of the mode "tasks". */
  running: RunningNode[];
  state: "connecting" | "live" | "reconnecting" | "ended" | "refused";
  /** The error message with which the service refused to send the stream. Empty if the stream was not refused. */
  refusal: string;
}

const empty: Followed = { events: [], forgotten: 0, running: [], state: "connecting", refusal: "" };

/** Follows the events of a run from its first event. If the connection breaks, continues after the last received event. */
export function useFollowed(path: RunPath, isWanted: boolean): Followed {
  const [follower] = useState(() => new Follower(path));
  useEffect(() => {
    if (isWanted) follower.start();
  }, [follower, isWanted]);
  useEffect(() => () => follower.stop(), [follower]);
  return useSyncExternalStore(follower.subscribe, follower.read);
}

class Follower {
  readonly #path: RunPath;
  readonly #listeners = new Set<() => void>();
  readonly #running = new Map<string, RunningNode>();
  #now = empty;
  #events: StreamEvent[] = [];
  #forgotten = 0;
  #abort: AbortController | undefined;
  #lastId = "";
  #frame: ReturnType<typeof setTimeout> | undefined;

  constructor(path: RunPath) {
    this.#path = path;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly read = (): Followed => this.#now;

  start(): void {
    if (this.#abort || this.#now.state === "ended") return;
    this.#abort = new AbortController();
    void this.#follow(this.#abort.signal);
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = undefined;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        for await (const event of await this.#open(signal)) {
          failures = 0;
          this.#take(event);
        }
        this.#running.clear();
        return this.#set({ state: "ended" });
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ApiFailure && error.status >= 400 && error.status < 500) {
          return this.#set({ state: "refused", refusal: sentenceOf(error) });
        }
        this.#set({ state: "reconnecting" });
        await new Promise((resolve) => setTimeout(resolve, Math.min(5_000, 300 * 2 ** failures)));
      }
    }
  }

  async #open(signal: AbortSignal): Promise<AsyncGenerator<StreamEvent>> {
    const { threadId, runId } = this.#path;
    const headers = { ...credentialHeaders(), ...(this.#lastId !== "" && { "last-event-id": this.#lastId }) };
    const url = `${prefix}/threads/${threadId}/runs/${runId}/stream`;
    const response = await fetch(url, { headers, signal }).catch((error) => {
      if (!signal.aborted) reportLost();
      throw error;
    });
    if (response.status === 401) forgetCredential(await response.clone().text());
    if (!response.ok || !response.body) throw new ApiFailure(response.status, await response.text());
    this.#set({ state: "live" });
    return readEventStream(response.body);
  }

  #take(event: StreamEvent): void {
    if (event.id !== "") this.#lastId = event.id;
    this.#events.push(event);
    if (this.#events.length > mostEvents) {
      const surplus = this.#events.length - Math.floor(mostEvents * 0.9);
      this.#events.splice(0, surplus);
      this.#forgotten += surplus;
    }
    if (event.event === "metadata") this.#running.clear(); // a new attempt begins, so the nodes of the previous one no longer run
    if (event.event === "tasks" || event.event.startsWith("tasks|")) this.#noteTask(event);
    this.#frame ??= setTimeout(() => this.#set({}), 100); // renders at most every 100 ms, because many events may arrive within a moment
  }

  #noteTask({ event, data }: StreamEvent): void {
    const { id, name, ...more } = JSON.parse(data) as { id?: string; name?: string; result?: unknown; error?: unknown };
    if (typeof id !== "string" || typeof name !== "string") return;
    const around = event
      .split("|")
      .slice(1)
      .map((segment) => segment.split(":")[0] ?? "");
    if ("result" in more || "error" in more) this.#running.delete(id);
    else this.#running.set(id, { id, path: [...around, name].join(":") });
  }

  #set(change: Partial<Followed>): void {
    clearTimeout(this.#frame);
    this.#frame = undefined;
    this.#now = { ...this.#now, events: this.#events.slice(), forgotten: this.#forgotten, running: [...this.#running.values()], ...change };
    for (const listener of this.#listeners) listener();
  }
}
