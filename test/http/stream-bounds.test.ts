import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { until } from "../command.ts";
import { runElsewhere } from "../run-elsewhere.ts";
import { startTestService, type TestService } from "../service.ts";
import { eventually } from "../sse.ts";

const project = fileURLToPath(new URL("../graphs/with-auth/langgraph.json", import.meta.url));

type Open = (threadId?: string) => Promise<{ status: number; close: () => void }>;

/** Returns functions that open streams of threads that do not exist. Each call uses another thread unless one is named. */
function opener({ fetch, urls }: TestService, headers: Record<string, string> = {}): { stream: Open; socket: Open } {
  const path = (threadId: string = crypto.randomUUID()) => `/threads/${threadId}/stream/events`;
  return {
    async stream(threadId) {
      const { status, body } = await fetch(path(threadId), { method: "POST", headers, body: '{"channels":["values"]}' });
      const close = () => void body?.cancel().catch(() => {});
      onTestFinished(close);
      return { status, close };
    },
    async socket(threadId) {
      const socket = new WebSocket(`${urls[0]?.replace("http", "ws")}${path(threadId)}`, { headers });
      const close = () => socket.terminate();
      onTestFinished(close);
      const refused = once(socket, "unexpected-response").then(([, { statusCode }]) => Number(statusCode));
      return { status: await Promise.race([once(socket, "open").then(() => 200), refused]), close };
    },
  };
}

test("a process has so many streams and sockets and no more, and a place that is left is free", async () => {
  const service = await startTestService({ ENSEMBLE_STREAMS: "3" });
  const { stream, socket } = opener(service);
  const first = await stream();
  expect([first.status, (await socket()).status, (await stream()).status]).toEqual([200, 200, 200]);
  expect([(await stream()).status, (await socket()).status]).toEqual([429, 429]);
  const run = { method: "POST", body: JSON.stringify({ assistant_id: "steps", input: {} }) };
  expect((await service.fetch("/runs/stream", run)).status).toBe(429);
  expect((await service.fetch("/runs/wait", run)).status).toBe(429); // the request waits on an open connection, like a stream
  first.close();
  await eventually(async () => {
    const { status, close } = await socket();
    close();
    return status;
  }).toBe(200);
});

test("a client that waits for a run counts as an open stream until it is answered or disconnects", async () => {
  const service = await startTestService({ ENSEMBLE_ROLE: "api", ENSEMBLE_STREAMS_PER_RUN: "1" });
  const { client, fetch, db } = service;
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "steps", { input: {} });
  await runElsewhere(db, runId);
  const path = `/threads/${threadId}/runs/${runId}`;
  const waits: [path: string, init: RequestInit][] = [
    [`${path}/join`, {}],
    [`${path}/cancel?wait=1`, { method: "POST", body: "{}" }],
    [`${path}/cancel?wait=1`, { method: "POST" }],
  ];
  const taken = async () => Number(/^ensemble_streams_open (\d+)/m.exec(await (await fetch("/metrics")).text())?.[1]);
  for (const [waiting, init] of waits) {
    const leaving = new AbortController();
    const answered = fetch(waiting, { ...init, signal: leaving.signal });
    answered.catch(() => {});
    await eventually(taken).toBe(1);
    expect((await fetch(`${path}/stream`)).status).toBe(429);
    for (const [another, options] of waits) expect((await fetch(another, options)).status).toBe(429);
    expect((await fetch(`${path}/cancel`, { method: "POST" })).status).toBe(202); // the request does not wait
    leaving.abort();
    await eventually(taken).toBe(0);
  }
});

test("each user has their own limit of open streams", async () => {
  const service = await startTestService({ ENSEMBLE_CONFIG: project, ENSEMBLE_STREAMS_PER_USER: "2" });
  const [alice, bob] = ["alice", "bob"].map((name) => opener(service, { authorization: `Bearer ${name}` }));
  expect([(await alice!.stream()).status, (await alice!.socket()).status]).toEqual([200, 200]);
  expect([(await alice!.stream()).status, (await alice!.socket()).status]).toEqual([429, 429]);
  expect([(await bob!.stream()).status, (await bob!.socket()).status]).toEqual([200, 200]);
});

test("one query a second serves all streams that wait for missing or foreign threads", async () => {
  const service = await startTestService({ ENSEMBLE_CONFIG: project });
  const [alice, bob] = ["alice", "bob"].map((name) => ({ authorization: `Bearer ${name}` }));
  const made = await service.fetch("/threads", { method: "POST", headers: alice, body: "{}" });
  const { thread_id: hers } = (await made.json()) as { thread_id: string };
  const { stream } = opener(service, bob);
  const waiting = await Promise.all(Array.from({ length: 200 }, async (_, n) => (await stream(n % 2 ? hers : undefined)).status));
  expect(new Set(waiting)).toEqual(new Set([200]));
  const statements = async () => {
    const { rows } = await service.db.query(
      "select xact_commit::integer as commits from pg_stat_database where datname = current_database()",
    );
    return Number(rows[0].commits);
  };
  const inTwoSeconds = async () => {
    const before = await statements();
    await sleep(2_000);
    return (await statements()) - before;
  };
  // The first queries of the streams may be counted late, because the server takes a while to sum up the statistics of its connections.
  await until(async () => (await inTwoSeconds()) < 100);
});
