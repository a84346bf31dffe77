import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Client } from "@langchain/langgraph-sdk";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { startTestService } from "../service.ts";
import { eventually, readEvents } from "../sse.ts";
import { followThread } from "../thread-events.ts";

const project = fileURLToPath(new URL("../graphs/with-auth/langgraph.json", import.meta.url));
const { fetch, urls } = await startTestService({ ENSEMBLE_CONFIG: project });

/** Returns a client for a user. The auth of this test uses the token as the user's name. */
function signIn(name: string) {
  const headers = { authorization: `Bearer ${name}` };
  const request = (path: string, init?: RequestInit) => fetch(path, { ...init, headers });
  const command = async (threadId: string, method: string, params: unknown) =>
    request(`/threads/${threadId}/commands`, { method: "POST", body: JSON.stringify({ id: 1, method, params }) });
  return { headers, request, command, client: new Client({ apiUrl: urls[0] ?? "", apiKey: null, defaultHeaders: headers }) };
}
const [alice, bob] = [signIn("alice"), signIn("bob")];

async function alicesThread(): Promise<string> {
  const thread = alice.client.threads.stream({ assistantId: "steps" });
  onTestFinished(() => thread.close());
  await thread.run.start({ input: {} });
  await followThread(alice.request, thread.threadId);
  return thread.threadId;
}

test("for other users, a user's thread is not found", async () => {
  const threadId = await alicesThread();
  const notThere = { status: 404, text: `Thread with ID ${threadId} not found` };
  const answerTo = async (asked: Promise<Response>) => {
    const response = await asked;
    return { status: response.status, text: await response.text() };
  };
  expect(await answerTo(bob.request(`/threads/${threadId}/stream`))).toEqual(notThere);
  for (const [method, params] of Object.entries({
    "run.start": { assistant_id: "steps", input: {} },
    "state.get": {},
    "state.listCheckpoints": {},
    "state.fork": { checkpoint_id: "x" },
    "agent.getTree": {},
    "input.respond": { interrupt_id: "x" },
    "input.inject": { message: { role: "user", content: "x" } },
  }))
    expect([method, await answerTo(bob.command(threadId, method, params))]).toMatchObject([
      method,
      method === "run.start" ? notThere : { status: 200, text: expect.stringContaining(`"message":"${notThere.text}"`) },
    ]);
});

test("the stream of another user's thread is as silent as the stream of a missing thread", async () => {
  const [hers, nobodys] = [await alicesThread(), crypto.randomUUID()];
  const body = JSON.stringify({ channels: ["values", "lifecycle"] });
  const open = async (threadId: string) => {
    const response = await bob.request(`/threads/${threadId}/stream/events`, { method: "POST", body });
    const events = readEvents(response);
    onTestFinished(() => void events.return(undefined));
    return { status: response.status, headers: [...response.headers.keys()], heard: events.next() };
  };
  const [foreign, missing] = [await open(hers), await open(nobodys)];
  expect(missing).toMatchObject({ status: foreign.status, headers: foreign.headers });
  await alice.command(hers, "run.start", { assistant_id: "steps", input: {} });
  await followThread(alice.request, hers, {}, 2);
  await bob.command(nobodys, "run.start", { assistant_id: "steps", input: {} });
  const heard = await Promise.race([foreign.heard.then(() => "hers"), missing.heard.then(({ value }) => value?.event)]);
  expect(heard).toBe("lifecycle");
  expect((await fetch(`/threads/${hers}/stream/events`, { method: "POST", body })).status).toBe(401);
});

test("another user's socket gets no events of a thread, and a socket without a user is refused", async () => {
  const threadId = await alicesThread();
  const address = `${urls[0]?.replace("http", "ws")}/threads/${threadId}/stream/events`;
  await expect(once(new WebSocket(address), "open")).rejects.toThrow("401");
  const socket = new WebSocket(address, { headers: bob.headers });
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  const heard: { id: number }[] = [];
  socket.on("message", (data) => heard.push(JSON.parse(String(data))));
  const ask = (id: number, method: string, params: object) => {
    socket.send(JSON.stringify({ id, method, params }));
    return eventually(() => heard.find((frame) => frame.id === id));
  };
  await ask(1, "subscription.subscribe", { channels: ["values", "lifecycle"] }).toMatchObject({ type: "success" });
  await alice.command(threadId, "run.start", { assistant_id: "steps", input: {} });
  await followThread(alice.request, threadId, {}, 2);
  await ask(2, "state.get", {}).toMatchObject({ type: "error", id: 2, error: "no_such_run" });
  expect(heard).toHaveLength(2);
});

test("a graph gets the authenticated user, and no event or answer contains the user's secrets", async () => {
  const thread = alice.client.threads.stream({ assistantId: "whoami" });
  onTestFinished(() => thread.close());
  const claims = { langgraph_auth_user: { identity: "bob" }, langgraph_auth_user_id: "bob" };
  await thread.run.start({ input: {}, config: { configurable: claims } });
  const events = await followThread(alice.request, thread.threadId);
  expect(await thread.output).toEqual({ who: { identity: "alice", id: "alice", permissions: ["is:alice"], knowsSecret: true } });
  const answers = [
    events,
    await thread.state.get({ namespace: [] }),
    await thread.state.listCheckpoints({}),
    await thread.agent.getTree({}),
  ];
  expect(JSON.stringify(answers)).not.toContain("canary");
});

test("a page of another origin can open a socket only without cookies", async () => {
  const address = `${urls[0]?.replace("http", "ws")}/threads/${crypto.randomUUID()}/stream/events`;
  const open = async (options: { origin: string; cookie?: string }) => {
    const { origin, ...cookie } = options;
    const socket = new WebSocket(address, { origin, headers: { ...alice.headers, ...cookie } });
    onTestFinished(() => socket.terminate());
    await once(socket, "open");
  };
  await open({ origin: "https://elsewhere.test" });
  await open({ origin: urls[0] ?? "", cookie: "session=1" });
  await expect(open({ origin: "https://elsewhere.test", cookie: "session=1" })).rejects.toThrow("403");
});
