import { fileURLToPath } from "node:url";
import { Client } from "@langchain/langgraph-sdk";
import { describe, expect, test } from "vitest";
import { until } from "../command.ts";
import { startTestService } from "../service.ts";
import { collect, readFrames } from "../sse.ts";

const project = fileURLToPath(new URL("../graphs/with-auth/langgraph.json", import.meta.url));
const { urls, db } = await startTestService({ ENSEMBLE_CONFIG: project });

let turn = 0;
function clientOf(name: string): Client {
  const apiUrl = urls[turn++ % urls.length] ?? "";
  return new Client({ apiUrl, apiKey: null, defaultHeaders: { authorization: `Bearer ${name}` }, callerOptions: { maxRetries: 0 } });
}
const [alice, bob, admin, guest, thrifty] = ["alice", "bob", "admin", "guest", "thrifty"].map(clientOf) as [
  Client,
  Client,
  Client,
  Client,
  Client,
];
const post = (path: string, name: string, body: object, headers = {}) =>
  fetch(`${urls[0]}${path}`, { method: "POST", headers: { authorization: `Bearer ${name}`, ...headers }, body: JSON.stringify(body) });

test("a graph knows who asked, on a first run, after a question and by a cron", async () => {
  const who = { identity: "alice", id: "alice", permissions: ["is:alice"], knowsSecret: true };
  const { thread_id: threadId } = await alice.threads.create();
  expect(await alice.runs.wait(threadId, "whoami", { input: {} })).toEqual({ who });
  expect(await alice.runs.wait(null, "whoami", { input: {} })).toEqual({ who });

  const { cron_id: cronId, user_id } = await alice.crons.create("whoami", {
    input: {},
    schedule: "0 0 1 1 *",
    onRunCompleted: "keep",
  });
  expect(user_id).toBe("alice");
  await db.query("update crons set next_run_date = now() where cron_id = $1", [cronId]);
  const made = () => alice.threads.search({ metadata: { cron_id: cronId } });
  await until(async () => (await made())[0]?.status === "idle");
  expect(await made()).toMatchObject([{ values: { who }, metadata: { owner: "alice" } }]);
  expect(await bob.threads.search({ metadata: { cron_id: cronId } })).toEqual([]);
});

test("a request cannot choose its user in its body or headers", async () => {
  const { thread_id: threadId } = await bob.threads.create();
  const claims = { langgraph_auth_user: { identity: "alice" }, langgraph_auth_user_id: "alice", langgraph_auth_permissions: ["is:alice"] };
  const run = { assistant_id: "whoami", input: {}, config: { configurable: claims } };
  const answer = await post(`/threads/${threadId}/runs/wait`, "bob", run, {
    "x-langgraph-auth-user-id": "alice",
    langgraph_auth_user_id: "alice",
  });
  expect(await answer.json()).toMatchObject({ who: { identity: "bob", id: "bob", permissions: ["is:bob"] } });
});

test("what auth knows of a user is in no answer, event or checkpoint, and in the database only in the run's row", async () => {
  const { thread_id: threadId } = await alice.threads.create();
  const modes = ["values", "updates", "messages", "messages-tuple", "tasks", "checkpoints", "debug", "events", "custom"];
  const run = { assistant_id: "whoami", input: {}, stream_mode: modes, stream_resumable: true, stream_subgraphs: true };
  const frames = await collect(readFrames(await post(`/threads/${threadId}/runs/stream`, "alice", run)));
  expect(frames.length).toBeGreaterThan(15);
  const answers = [
    frames,
    await alice.threads.get(threadId),
    await alice.threads.getState(threadId),
    await alice.threads.getHistory(threadId),
    await alice.runs.list(threadId),
    await alice.threads.search(),
    await alice.crons.create("whoami", { schedule: "0 0 1 1 *" }),
    await alice.crons.search(),
  ];
  expect(JSON.stringify(answers)).not.toContain("canary");

  const { rows: tables } = await db.query<{ name: string }>(
    "select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace",
  );
  const holding: string[] = [];
  for (const { name } of tables) {
    const { rowCount } = await db.query(`select 1 from ${name} t where (to_json(t)::jsonb - 'auth_user')::text like '%canary%' limit 1`);
    if (rowCount) holding.push(name);
  }
  expect(holding).toEqual([]);
  expect((await db.query("select 1 from runs where auth_user::text like '%canary-alice%'")).rowCount).toBeGreaterThan(0);
});

test("what the handler writes into a new thing's metadata is there, over what the caller says", async () => {
  const thread = await bob.threads.create({ metadata: { owner: "alice", mark: 1 } });
  expect(thread.metadata).toMatchObject({ owner: "bob", mark: 1 });
  expect((await bob.threads.update(thread.thread_id, { metadata: { owner: "alice" } })).metadata).toMatchObject({ owner: "bob", mark: 1 });
  expect((await bob.threads.copy(thread.thread_id)).metadata).toMatchObject({ owner: "bob" });
  const assistant = await bob.assistants.create({ graphId: "steps" });
  expect(assistant.metadata).toMatchObject({ owner: "bob" });
  const run = await bob.runs.create(thread.thread_id, "steps", { input: {}, metadata: { owner: "alice" } });
  expect(run.metadata).toMatchObject({ owner: "bob" });
});

test("a stateless run is its caller's", async () => {
  const { run_id: runId } = await alice.runs.create(null, "slow", { input: {} });
  const follow = (name: string) => fetch(`${urls.at(-1)}/runs/${runId}/stream`, { headers: { authorization: `Bearer ${name}` } });
  const [own, foreign] = [await follow("alice"), await follow("bob")];
  expect([own.status, foreign.status, await foreign.text()]).toEqual([200, 404, "Run not found"]);
  expect((await collect(readFrames(own))).at(0)).toContain(runId);
});

test("cancelling all runs cancels only the user's own runs", async () => {
  const { thread_id: hers } = await alice.threads.create();
  const { thread_id: his } = await bob.threads.create();
  const ofAlice = await alice.runs.create(hers, "steps", { input: {}, afterSeconds: 3_600 });
  const ofBob = await bob.runs.create(his, "steps", { input: {}, afterSeconds: 3_600 });
  await bob.runs.cancelMany({ status: "all" });
  expect(await alice.runs.get(hers, ofAlice.run_id)).toMatchObject({ status: "pending" });
  expect(await bob.runs.get(his, ofBob.run_id)).toMatchObject({ status: "interrupted" });
});

test("only the most specific auth handler decides", async () => {
  const { thread_id: threadId } = await guest.threads.create();
  await expect(guest.threads.delete(threadId)).rejects.toThrow("HTTP 402: Guests pay for that.");
  const { cron_id: cronId } = await guest.crons.create("steps", { schedule: "0 0 1 1 *" });
  await expect(guest.crons.delete(cronId)).rejects.toThrow("HTTP 403: Forbidden"); // "*:delete" takes precedence over "*"
  const { assistant_id: assistantId } = await guest.assistants.create({ graphId: "steps", metadata: { readers: ["guests", "staff"] } });
  await alice.assistants.create({ graphId: "steps", metadata: { readers: ["guests"] } });
  await alice.assistants.create({ graphId: "steps", metadata: { readers: "guests" } });
  await alice.assistants.create({ graphId: "steps", metadata: { readers: ["staff"] } });
  expect(await guest.assistants.search({ sortBy: "created_at", sortOrder: "asc" })).toMatchObject([
    { assistant_id: assistantId },
    { metadata: { owner: "alice", readers: ["guests"] } },
  ]);
});

test("a user who may everything sees everything", async () => {
  const { thread_id: threadId } = await alice.threads.create();
  expect(await admin.threads.get(threadId)).toMatchObject({ thread_id: threadId });
  expect(await admin.runs.wait(threadId, "whoami", { input: {} })).toMatchObject({ who: { identity: "admin", permissions: [] } });
});

test("any user can run a graph's own assistant, although no user can read it", async () => {
  expect(await bob.runs.wait(null, "steps", { input: {} })).toHaveProperty("log");
  await expect(bob.assistants.get("steps")).rejects.toThrow("HTTP 404: Assistant not found");
});

test("an Idempotency-Key is its user's", async () => {
  const key = { "idempotency-key": crypto.randomUUID() };
  const make = async (name: string) => (await (await post("/runs", name, { assistant_id: "steps", input: {} }, key)).json()).run_id;
  const [first, again, other] = [await make("alice"), await make("alice"), await make("bob")];
  expect(again).toBe(first);
  expect(other).not.toBe(first);
});

test("Studio is accepted on loopback and asks the handlers, but is refused behind a proxy", async () => {
  const headers = { "x-auth-scheme": "langsmith", origin: "https://smith.langchain.com", "content-type": "application/json" };
  const made = await fetch(`${urls[0]}/threads`, { method: "POST", headers, body: "{}" });
  expect(await made.json()).toMatchObject({ metadata: { owner: "langgraph-studio-user" } });
  for (const header of ["x-forwarded-for", "forwarded", "x-real-ip", "via"]) {
    const passedOn = await fetch(`${urls[0]}/threads`, { method: "POST", headers: { ...headers, [header]: "203.0.113.9" }, body: "{}" });
    expect(passedOn.status).toBe(401);
  }
});

describe("a graph that is made for its user", () => {
  test("asks, is looked at by its user, and goes on", async () => {
    const { thread_id: threadId } = await alice.threads.create();
    await alice.runs.wait(threadId, "made-for-user", { input: { task: "ask" } });
    expect(await alice.threads.get(threadId)).toMatchObject({ status: "interrupted" });
    expect(await alice.threads.getState(threadId)).toMatchObject({
      next: ["for-alice"],
      tasks: [{ interrupts: [{ value: { question: "sure?" } }] }],
    });
    expect(await alice.threads.getHistory(threadId)).not.toEqual([]);
    expect(await alice.runs.wait(threadId, "made-for-user", { command: { resume: "yes" } })).toMatchObject({ done: "yes" });
  });

  test("is drawn for the user who asks, even if the assistant's config names another user", async () => {
    const forged = { langgraph_auth_user: { identity: "admin" } };
    const { assistant_id: assistantId } = await bob.assistants.create({ graphId: "made-for-user", config: { configurable: forged } });
    const { nodes } = await bob.assistants.getGraph(assistantId);
    expect(nodes.map(({ id }) => id)).toContain("for-bob");
  });

  test("is rolled back without being made", async () => {
    const { thread_id: threadId } = await alice.threads.create();
    const { run_id: runId } = await alice.runs.create(threadId, "made-for-user", { input: { task: "wait" } });
    await until(async () => (await alice.runs.get(threadId, runId)).status === "running");
    await alice.runs.cancel(threadId, runId, true, "rollback");
    await expect(alice.runs.get(threadId, runId)).rejects.toThrow("HTTP 404");
    expect(await alice.threads.get(threadId)).toMatchObject({ status: "idle" });
    expect(await alice.runs.wait(threadId, "whoami", { input: {} })).toHaveProperty("who");
  });
});

test("supersteps change an existing thread only if the user may update the thread", async () => {
  const supersteps = [{ updates: [{ values: { topic: "x" }, asNode: "__start__" }] }];
  const { thread_id: threadId } = await guest.threads.create({ metadata: { graph_id: "review" } });
  const make = { threadId, ifExists: "do_nothing" as const, supersteps, graphId: "review" };
  await expect(guest.threads.create(make)).rejects.toThrow("HTTP 403");
  expect((await guest.threads.getState(threadId)).values).toEqual({});
});

test("a cron makes the runs that its maker may make, after a change too", async () => {
  const schedule = "0 0 1 1 *";
  await expect(thrifty.crons.create("whoami", { schedule, input: { want: "everything" } })).rejects.toThrow("HTTP 403");
  const { cron_id: cronId } = await thrifty.crons.create("whoami", {
    schedule,
    input: { want: "little" },
    config: { configurable: { model: "dear" } },
  });
  const payload = async () => (await thrifty.crons.search())[0]?.payload;
  expect(await payload()).toMatchObject({ config: { configurable: { model: "cheap" } } });
  await expect(thrifty.crons.update(cronId, { input: { want: "everything" } })).rejects.toThrow("HTTP 403");
  await thrifty.crons.update(cronId, { config: { configurable: { model: "dear" } }, metadata: { owner: "bob" } });
  expect(await payload()).toMatchObject({ input: { want: "little" }, config: { configurable: { model: "cheap" } } });
  expect(await thrifty.crons.search()).toMatchObject([{ metadata: { owner: "thrifty" } }]);
});

test("a cron runs as the user who last changed what it runs, not as a user who only changed its schedule", async () => {
  const { cron_id: cronId } = await alice.crons.create("whoami", { schedule: "0 0 1 1 *", input: {}, onRunCompleted: "keep" });
  const identityAfter = async (change: object) => {
    await admin.crons.update(cronId, change);
    await db.query("update crons set next_run_date = now() where cron_id = $1", [cronId]);
    const madeThen = async () => {
      const { rows } = await db.query("select auth_user from runs where metadata->>'cron_id' = $1 order by run_id desc", [cronId]);
      return rows;
    };
    const before = (await madeThen()).length;
    await until(async () => (await madeThen()).length > before);
    return (await madeThen())[0].auth_user.identity;
  };
  expect(await identityAfter({ schedule: "0 0 2 2 *", timezone: "Europe/Berlin", enabled: true })).toBe("alice");
  expect(await admin.crons.search({ limit: 100 })).toContainEqual(expect.objectContaining({ cron_id: cronId, user_id: "alice" }));
  expect(await identityAfter({ input: { more: 1 } })).toBe("admin");
  expect(await admin.crons.search({ limit: 100 })).toContainEqual(expect.objectContaining({ cron_id: cronId, user_id: "admin" }));
});

test("an Idempotency-Key may have 255 characters, and each user has their own", async () => {
  const create = async (name: string, key: string) => {
    const answer = await post("/runs", name, { assistant_id: "whoami", input: {} }, { "idempotency-key": key });
    return [answer.status, (await answer.json()).run_id];
  };
  const made = new Set<string>();
  for (const key of ["k".repeat(255), "k".repeat(254), "k".repeat(211)]) {
    const first = await create("alice", key);
    expect(first[0]).toBe(200);
    expect(await create("alice", key)).toEqual(first);
    made.add(first[1]).add((await create("bob", key))[1]);
  }
  expect(made.size).toBe(6);
});
