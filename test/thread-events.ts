import { expect } from "vitest";
import { readEvents } from "./sse.ts";

/** An event of the event streaming protocol, as it is sent. */
export interface ThreadEvent {
  event_id: string;
  seq: number;
  method: string;
  params: { namespace: string[]; timestamp: number; node?: string; data: Record<string, unknown> };
}

type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

export const allChannels = ["values", "updates", "messages", "tools", "lifecycle", "input", "checkpoints", "tasks", "custom"];

/** Returns the thread's events until its `runs`-th run has ended. */
export async function followThread(fetch: Fetch, threadId: string, filter: object = {}, runs = 1): Promise<ThreadEvent[]> {
  const body = JSON.stringify({ channels: allChannels, ...filter });
  const response = await fetch(`/threads/${threadId}/stream/events`, { method: "POST", body });
  expect(response.status).toBe(200);
  const events: ThreadEvent[] = [];
  let ended = 0;
  for await (const { event, data, id } of readEvents(response)) {
    const told = data as ThreadEvent;
    expect([event, id]).toEqual([told.method, told.event_id]);
    events.push(told);
    if (isEnd(told) && ++ended === runs) break;
  }
  return events;
}

const ends = ["completed", "failed", "interrupted"];
const isEnd = ({ method, params }: ThreadEvent) =>
  method === "lifecycle" && params.namespace.length === 0 && ends.includes(String(params.data.event));
