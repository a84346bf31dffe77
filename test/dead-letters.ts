import { expect } from "vitest";
import type { TestService } from "./service.ts";
import { eventually } from "./sse.ts";

/** A dead letter as clients see it. */
export interface Letter {
  id: string;
  kind: string;
  run_id: string;
  thread_id: string;
  cron_id: string | null;
  graph_id: string | null;
  item: string | null;
  node: string | null;
  error: { type: string; message: string };
  attempts: number;
  state: string;
  by: string | null;
  owner: string | null;
  redrive: { run_id: string; thread_id: string } | null;
  payload?: unknown;
}

/** Returns functions that read and change the dead letters of a service. */
export function lettersAt({ fetch }: Pick<TestService, "fetch">, headers: Record<string, string> = {}) {
  const send = (method: string, path: string, body?: unknown) =>
    fetch(path, {
      method,
      headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  async function ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await send(method, path, body);
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text}`);
    return JSON.parse(text) as Answer;
  }
  const list = (query = "") => ask<Letter[]>("GET", `/dead-letters?limit=1000${query}`);
  const get = (id: string) => ask<Letter>("GET", `/dead-letters/${id}`);
  return {
    send,
    ask,
    list,
    get,
    /** Returns the letters of a thread. */
    of: async (threadId: string) => (await list()).filter(({ thread_id }) => thread_id === threadId),
    redrive: async (body: object) => (await ask<{ ids: string[] }>("POST", "/dead-letters/redrive", body)).ids,
    discard: async (body: object) => (await ask<{ ids: string[] }>("POST", "/dead-letters/discard", body)).ids,
    /** Waits until the letter has left the state redriving, and returns it. */
    async settled(id: string): Promise<Letter> {
      // The list has no payloads, so it may be read often.
      await eventually(async () => (await list("&state=redriving")).some((one) => one.id === id)).toBe(false);
      return get(id);
    },
  };
}

export const only = <Item>(items: Item[]): Item => {
  expect(items).toHaveLength(1);
  return items[0] as Item;
};
