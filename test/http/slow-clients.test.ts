import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { collect, eventually, streamsOpenAt } from "../sse.ts";

const { client, urls } = await startTestService({ ENSEMBLE_STALLED_CLIENT_SECS: "1", ENSEMBLE_STREAMS_PER_RUN: "2" });

/** Requests a stream over a plain socket, so that no client reads ahead. */
function ask(path: string) {
  const { hostname, port, host } = new URL(urls[0] ?? "");
  const socket = connect(Number(port), hostname);
  socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  return socket;
}

test("a client that stops reading is cut off after a while, delays no other client, and can reconnect for the rest", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "burst", { input: { events: 30_000, size: 1_000 }, streamMode: ["custom"] });
  const stalled = ask(`/threads/${threadId}/runs/${run.run_id}/stream`);
  await once(stalled, "readable");
  stalled.pause();

  const reading = await collect(client.runs.joinStream(threadId, run.run_id));
  expect(reading).toHaveLength(30_001);
  expect(await client.runs.get(threadId, run.run_id)).toMatchObject({ status: "success" });

  await eventually(async () => streamsOpenAt(urls[0])).toBe(0);
  stalled.resume();
  let text = "";
  stalled.on("data", (chunk) => (text += chunk));
  await once(stalled, "close");
  const lastId = Number([...text.matchAll(/\nid: (\d+)\n/g)].at(-1)?.[1]);
  expect(lastId).toBeLessThan(30_000);
  expect(text.endsWith("0\r\n\r\n")).toBe(false); // the stream was cut, and not ended
  const rest = await collect(client.runs.joinStream(threadId, run.run_id, { lastEventId: String(lastId) }));
  expect(rest).toHaveLength(30_000 - lastId);
});

test("clients above the limit of a run are refused and asked to retry", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "slow", { input: { until: 50, tickMs: 20 } });
  const path = `/threads/${threadId}/runs/${run.run_id}/stream`;
  const leaving = new AbortController();
  for (let n = 0; n < 2; n++) await fetch(`${urls[0]}${path}`, { signal: leaving.signal });
  const third = await fetch(`${urls[0]}${path}`);
  expect([third.status, await third.text()]).toEqual([429, "2 clients follow this run already."]);
  leaving.abort();
  await client.runs.cancel(threadId, run.run_id, true);
});

test("a heartbeat in the middle of a stream is not an event", async () => {
  const events = await collect(client.runs.stream(null, "slow", { input: { until: 1, tickMs: 5_500 }, streamMode: ["updates"] }));
  expect(events.map(({ event }) => event)).toEqual(["metadata", "updates", "updates"]);
});
