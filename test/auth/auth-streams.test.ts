import { once } from "node:events";
import { Client } from "@langchain/langgraph-sdk";
import { SignJWT } from "jose";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { makeProject } from "../command.ts";
import { runElsewhere } from "../run-elsewhere.ts";
import { startTestService } from "../service.ts";
import { eventually } from "../sse.ts";

const secret = "a secret that is shared with the issuer, and long";
const { urls, db } = await startTestService({ ENSEMBLE_JWT_SECRET: secret, ENSEMBLE_AUTH_RECHECK_SECS: "1" });
const url = urls[0] ?? "";

/** A token is accepted for five seconds after its expiry, because clocks differ. */
const tolerance = 5;
const tokenFor = (seconds: number) =>
  new SignJWT({ sub: "ada", exp: Math.floor(Date.now() / 1_000) + seconds - tolerance })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(secret));
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const lasting = bearer(await tokenFor(600));
const ada = new Client({ apiUrl: url, apiKey: null, defaultHeaders: lasting, callerOptions: { maxRetries: 0 } });

const endless = { input: { until: 10_000, tickMs: 50 }, config: { recursion_limit: 100_000 } };
const told = { streamMode: ["custom" as const], streamResumable: true };

async function running() {
  const { thread_id: threadId } = await ada.threads.create();
  const { run_id: runId } = await ada.runs.create(threadId, "slow", { ...endless, ...told });
  onTestFinished(() => ada.runs.cancel(threadId, runId, true).catch(() => {}));
  await eventually(async () => (await ada.runs.get(threadId, runId)).status).toBe("running");
  return { threadId, runId };
}

/** How many chunks of a stream arrived, and how the stream ended. */
interface Heard {
  chunks: number;
  end: "ended" | "cut" | undefined;
}

async function listen(path: string, headers: Record<string, string>, body?: object): Promise<Heard> {
  const leaving = new AbortController();
  onTestFinished(() => leaving.abort());
  const post = body && { method: "POST", body: JSON.stringify(body), headers: { ...headers, "content-type": "application/json" } };
  const response = await fetch(url + path, { headers, ...post, signal: leaving.signal });
  expect(response.status).toBe(200);
  const heard: Heard = { chunks: 0, end: undefined };
  const read = async () => {
    for await (const _ of response.body ?? []) heard.chunks++;
  };
  void read().then(
    () => (heard.end = "ended"),
    () => (heard.end = "cut"),
  );
  return heard;
}

async function listenOnSocket(threadId: string, headers: Record<string, string>): Promise<Heard> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/threads/${threadId}/stream/events`, { headers });
  onTestFinished(() => socket.terminate());
  const heard: Heard = { chunks: 0, end: undefined };
  socket.on("message", () => heard.chunks++);
  socket.on("close", (code) => (heard.end = code === 1006 ? "cut" : "ended"));
  await once(socket, "open");
  socket.send(JSON.stringify({ id: 1, method: "subscription.subscribe", params: { channels: ["custom"] } }));
  return heard;
}

type Open = (place: { threadId: string; runId: string }, headers: Record<string, string>) => Promise<Heard>;

const streams: Record<string, Open> = {
  "GET /threads/{threadId}/runs/{runId}/stream": ({ threadId, runId }, headers) =>
    listen(`/threads/${threadId}/runs/${runId}/stream`, headers),
  "GET /runs/{runId}/stream": ({ runId }, headers) => listen(`/runs/${runId}/stream`, headers),
  "POST /runs/stream": (_place, headers) =>
    listen("/runs/stream", headers, { assistant_id: "slow", ...endless, stream_mode: "custom", on_disconnect: "cancel" }),
  "POST /runs/wait": (_place, headers) => listen("/runs/wait", headers, { assistant_id: "slow", ...endless, on_disconnect: "cancel" }),
  "GET /threads/{threadId}/stream": ({ threadId }, headers) => listen(`/threads/${threadId}/stream`, { ...headers, "last-event-id": "-" }),
  "POST /threads/{threadId}/stream/events": ({ threadId }, headers) =>
    listen(`/threads/${threadId}/stream/events`, headers, { channels: ["custom"] }),
  "a socket that only listens": ({ threadId }, headers) => listenOnSocket(threadId, headers),
};

test.each(Object.entries(streams))("%s lives as long as its token, and no longer", async (_name, open) => {
  const place = await running();
  const [brief, long] = [await open(place, bearer(await tokenFor(3))), await open(place, lasting)];
  await eventually(() => brief.chunks).toBeGreaterThan(0);
  await eventually(() => brief.end).toBe("cut");
  const heard = { brief: brief.chunks, long: long.chunks };
  await eventually(() => long.chunks).toBeGreaterThan(heard.long + 1);
  expect([brief.chunks, long.end]).toEqual([heard.brief, undefined]);
});

const reads = Object.entries(streams).filter(([name]) => !name.startsWith("POST /runs"));

test.each(reads)("%s is cut when the thread is not the follower's any more", async (_name, open) => {
  const place = await running();
  const heard = await open(place, lasting);
  await eventually(() => heard.chunks).toBeGreaterThan(0);
  await db.query(`update threads set metadata = '{"owner": "bob"}' where thread_id = $1`, [place.threadId]);
  await eventually(() => heard.end).toBe("cut");
});

test("a join that waits longer than its token is good answers nothing", async () => {
  const { threadId, runId } = await running();
  const headers = bearer(await tokenFor(3));
  await expect(fetch(`${url}/threads/${threadId}/runs/${runId}/join`, { headers })).rejects.toThrow("fetch failed");
});

test("a cancel that waits longer than its token is good answers nothing", async () => {
  const api = await startTestService({ ENSEMBLE_JWT_SECRET: secret, ENSEMBLE_AUTH_RECHECK_SECS: "1", ENSEMBLE_ROLE: "api" });
  const post = async (path: string, body: object, headers = lasting) =>
    api.fetch(path, { method: "POST", body: JSON.stringify(body), headers: { ...headers, "content-type": "application/json" } });
  const made = await post("/runs", { assistant_id: "slow", ...endless });
  const { thread_id: threadId, run_id: runId } = (await made.json()) as { thread_id: string; run_id: string };
  await runElsewhere(api.db, runId);
  const cancelled = post(`/threads/${threadId}/runs/${runId}/cancel?wait=1`, {}, bearer(await tokenFor(3)));
  await expect(cancelled).rejects.toThrow("fetch failed");
});

/**
 * Waits until the service has repeated the auth check of a stream that began after all others. The service cuts a stream that is refused.
 */
async function untilAskedAgain(): Promise<void> {
  const { thread_id: threadId } = await ada.threads.create();
  const { run_id: runId } = await ada.runs.create(threadId, "slow", { afterSeconds: 3_600 });
  const heard = await listen(`/runs/${runId}/stream`, lasting);
  await db.query(`update threads set metadata = '{"owner": "bob"}' where thread_id = $1`, [threadId]);
  await eventually(() => heard.end).toBe("cut");
}

test("a socket may wait for a thread that is not there yet", async () => {
  const threadId = crypto.randomUUID();
  const heard = await listenOnSocket(threadId, lasting);
  await eventually(() => heard.chunks).toBe(1);
  for (const _ of ["once", "twice"]) await untilAskedAgain();
  await ada.threads.create({ threadId });
  await ada.runs.create(threadId, "slow", { input: { until: 2, tickMs: 1 }, ...told });
  await eventually(() => heard.chunks).toBeGreaterThan(1);
  expect(heard.end).toBeUndefined();
});

const troubles: [what: string, handlers: string][] = [
  ["whoever cannot be asked again", `authenticate: ({ url }) => again(url) ? fail(new Error("the users are not to be had")) : "ada"`],
  [
    "whoever cannot be decided about again",
    `authenticate: () => "ada", callbacks: { "threads:read": () => !again("/stream") || fail(new Error("no connection to the rules")) }`,
  ],
  [
    "whoever is refused in words that a database might use",
    `authenticate: () => "ada", callbacks: { "threads:read": () => !again("/stream") || fail(Object.assign(new Error("timeout"), { status: 403 })) }`,
  ],
];

test.each(troubles)("%s is cut off", async (_what, handlers) => {
  const auth = `
    let asked = 0;
    const again = (url) => url.endsWith("/stream") && ++asked > 1;
    const fail = (error) => { throw error; };
    export const auth = { "~handlerCache": { ${handlers} } };`;
  const graphs = { slow: `${import.meta.dirname}/../graphs/slow.ts:graph` };
  const project = await makeProject({ "auth.mjs": auth, "langgraph.json": { graphs, auth: { path: "./auth.mjs:auth" } } });
  const { client, fetch } = await startTestService({
    ENSEMBLE_CONFIG: `${project}/langgraph.json`,
    ENSEMBLE_AUTH_RECHECK_SECS: "1",
  });
  const { run_id: runId, thread_id: threadId } = await client.runs.create(null, "slow", { ...endless, ...told });
  const response = await fetch(`/runs/${runId}/stream`, { signal: AbortSignal.timeout(60_000) });
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow("terminated");
  await client.runs.cancel(threadId, runId, true);
});
