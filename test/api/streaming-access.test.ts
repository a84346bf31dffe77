import { once } from "node:events";
import { Client } from "@langchain/langgraph-sdk";
import { SignJWT } from "jose";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { startTestService } from "../service.ts";
import { eventually } from "../sse.ts";
import { followThread } from "../thread-events.ts";

const secret = "a secret that is long enough for it";
const { fetch, urls } = await startTestService({ ENSEMBLE_JWT_SECRET: secret });

async function signIn(name: string) {
  const token = await new SignJWT({ sub: name })
    .setProtectedHeader({ alg: "HS256" })
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode(secret));
  const headers = { authorization: `Bearer ${token}` };
  const request = (path: string, init?: RequestInit) => fetch(path, { ...init, headers });
  const command = async (threadId: string, method: string, params: unknown) =>
    request(`/threads/${threadId}/commands`, { method: "POST", body: JSON.stringify({ id: 1, method, params }) });
  return { headers, request, command, client: new Client({ apiUrl: urls[0] ?? "", apiKey: null, defaultHeaders: headers }) };
}
const [ann, ben] = [await signIn("ann"), await signIn("ben")];

async function annsThread(): Promise<string> {
  const thread = ann.client.threads.stream({ assistantId: "steps" });
  onTestFinished(() => thread.close());
  await thread.run.start({ input: {} });
  await followThread(ann.request, thread.threadId);
  return thread.threadId;
}

test("what is somebody's own is streamed to them, and to others it is not there", async () => {
  const threadId = await annsThread();
  const notThere = { status: 404, text: `Thread with ID ${threadId} not found` };
  const answerTo = async (asked: Promise<Response>) => {
    const response = await asked;
    return { status: response.status, text: await response.text() };
  };
  const body = JSON.stringify({ channels: ["values"] });
  expect(await answerTo(ben.request(`/threads/${threadId}/stream/events`, { method: "POST", body }))).toEqual(notThere);
  expect(await answerTo(ben.request(`/threads/${threadId}/stream`))).toEqual(notThere);
  for (const [method, params] of Object.entries({
    "run.start": { assistant_id: "steps", input: {} },
    "state.get": {},
    "state.listCheckpoints": {},
    "state.fork": { checkpoint_id: "x" },
    "agent.getTree": {},
    "input.respond": { interrupt_id: "x" },
    "input.inject": { message: { role: "user", content: "x" } },
  }))
    expect([method, await answerTo(ben.command(threadId, method, params))]).toEqual([method, notThere]);
  expect((await fetch(`/threads/${threadId}/stream/events`, { method: "POST", body })).status).toBe(401);
});

test("a socket of somebody else hears nothing of a thread, and one of nobody is not opened", async () => {
  const threadId = await annsThread();
  const address = `${urls[0]?.replace("http", "ws")}/threads/${threadId}/stream/events`;
  await expect(once(new WebSocket(address), "open")).rejects.toThrow("401");
  const socket = new WebSocket(address, { headers: ben.headers });
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  const heard: { id: number }[] = [];
  socket.on("message", (data) => heard.push(JSON.parse(String(data))));
  const ask = (id: number, method: string, params: object) => {
    socket.send(JSON.stringify({ id, method, params }));
    return eventually(() => heard.find((frame) => frame.id === id));
  };
  await ask(1, "subscription.subscribe", { channels: ["values", "lifecycle"] }).toMatchObject({ type: "success" });
  await ann.command(threadId, "run.start", { assistant_id: "steps", input: {} });
  await followThread(ann.request, threadId, {}, 2);
  await ask(2, "state.get", {}).toMatchObject({ type: "error", id: 2, error: "no_such_run" });
  expect(heard).toHaveLength(2);
});
