import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { sweepOnce } from "../../src/retention/sweep.ts";
import { until } from "../command.ts";
import { startTestService } from "../service.ts";

const { client, fetch, db, urls } = await startTestService({ ENSEMBLE_EVENT_RETENTION_SECS: "3600" });

interface Feedback {
  run_id: string;
  key: string;
  score: number | null;
  value: unknown;
  comment: string | null;
  given_at: string | null;
  url: string;
  expires_at: string;
}

const json = (body: unknown) => ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
const pathOf = (url: string) => new URL(url).pathname;
/** Gives feedback as a browser does, and returns the status and the text of the answer. */
const give = async (url: string, body: unknown = {}) => {
  const response = await fetch(pathOf(url), json(body));
  return [response.status, await response.text()] as const;
};

/** Streams a run, and returns the URLs that its feedback event offers. */
async function streamed(threadId: string | null, keys: string[], graph = "steps", input: Record<string, unknown> = {}) {
  const events: { event: string; data: unknown }[] = [];
  let runId = "";
  const onRunCreated = ({ run_id }: { run_id: string }) => {
    runId = run_id;
  };
  const payload = { input, feedbackKeys: keys, onRunCreated };
  for await (const { event, data } of client.runs.stream(threadId as string, graph, payload)) events.push({ event, data });
  const offered = events.filter(({ event }) => event === "feedback").map(({ data }) => data as Record<string, string>);
  return { events, runId, offered, offer: offered[0] ?? {} };
}

const newThread = async () => (await client.threads.create()).thread_id;
const listOf = async (threadId: string, runId: string) =>
  (await (await fetch(`/threads/${threadId}/runs/${runId}/feedback`)).json()) as Feedback[];
const search = async (filter: object) => (await (await fetch("/feedback/search", json(filter))).json()) as Feedback[];
const rowsOf = async (runId: string) => (await db.query("select * from feedback where run_id = $1 order by key", [runId])).rows;
/** Moves the end of a token into the past, as if its hours had passed. The test signs the token with the service's secret. */
async function expired(runId: string, key: string): Promise<string> {
  const signed = Buffer.from(JSON.stringify([runId, Math.floor(Date.now() / 1_000) - 60, key])).toString("base64url");
  const { rows } = await db.query("select secret from feedback_secret");
  const signature = createHmac("sha256", rows[0].secret).update(`ensemble feedback ${signed}`).digest("base64url");
  return `http://x/feedback/tokens/${signed}.${signature}`;
}

test("a stream ends with an event that offers a URL for each key, under the address that the client uses", async () => {
  const { events, offered, offer } = await streamed(await newThread(), ["user_liked", "user_disliked"]);
  expect(offered).toHaveLength(1);
  expect(Object.keys(offer)).toEqual(["user_liked", "user_disliked"]);
  expect(events.at(-1)?.event).toBe("feedback");
  for (const url of Object.values(offer)) expect(urls).toContain(new URL(url).origin);
});

test("without feedback keys there is no such event", async () => {
  const { offered } = await streamed(await newThread(), []);
  expect(offered).toEqual([]);
});

test("a run that stops for a question offers its URLs, and one that fails does not", async () => {
  expect((await streamed(await newThread(), ["k"], "review", { topic: "rivers" })).offered).toHaveLength(1);
  const failing = json({ assistant_id: "fails", input: {}, feedback_keys: ["k"] });
  const text = await (await fetch("/runs/stream", failing)).text();
  expect(text).toContain("event: error");
  expect(text).not.toContain("event: feedback");
});

test("a client that joins with a stream mode of its own gets the URLs too", async () => {
  const threadId = await newThread();
  const { run_id: runId } = await client.runs.create(threadId, "steps", { input: {}, feedbackKeys: ["k"] });
  const names: string[] = [];
  for await (const { event } of client.runs.joinStream(threadId, runId, { streamMode: ["updates"] })) names.push(event);
  expect(names).toContain("feedback");
});

test("the stream of a thread has the URLs with their whole address", async () => {
  const threadId = await newThread();
  await streamed(threadId, ["k"]);
  const leaving = new AbortController();
  const init = { headers: { "last-event-id": "-" }, signal: leaving.signal };
  const { body } = await fetch(`/threads/${threadId}/stream?stream_modes=run_modes`, init);
  let text = "";
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    if (text.includes("run_done")) break;
  }
  leaving.abort();
  expect(text).toMatch(/event: feedback\r?\ndata: \{"k":"http:\/\/[^"]+\/feedback\/tokens\//);
});

test("a person gives a score with a link and adds a comment later, and both stay in one row", async () => {
  const threadId = await newThread();
  const { runId, offer } = await streamed(threadId, ["thumb", "unused"]);
  const liked = await fetch(`${pathOf(offer.thumb ?? "")}?score=1`);
  expect(await liked.json()).toMatchObject({ run_id: runId, key: "thumb", score: 1, comment: null });
  expect(liked.headers.get("cache-control")).toBe("no-store");
  expect((await give(offer.thumb ?? "", { comment: "helpful", value: { stars: 5 } }))[0]).toBe(200);
  const listed = await listOf(threadId, runId);
  expect(listed).toMatchObject([
    { run_id: runId, thread_id: threadId, graph_id: "steps", key: "thumb", score: 1, comment: "helpful", value: { stars: 5 } },
    { key: "unused", score: null, given_at: null },
  ]);
  expect((await give(offer.thumb ?? "", { score: false, comment: null }))[0]).toBe(200);
  expect((await listOf(threadId, runId))[0]).toMatchObject({ score: 0, comment: null, value: { stars: 5 } });
});

test("a call without any field counts as given, because the key itself may say enough", async () => {
  const threadId = await newThread();
  const { runId, offer } = await streamed(threadId, ["user_liked"]);
  expect((await fetch(pathOf(offer.user_liked ?? ""), { method: "POST" })).status).toBe(200);
  expect(await listOf(threadId, runId)).toMatchObject([{ key: "user_liked", given_at: expect.any(String) }]);
});

test("the URLs of a run that nobody streamed are listed, and work", async () => {
  const threadId = await newThread();
  await client.runs.wait(threadId, "steps", { input: {}, feedbackKeys: ["k"] } as object);
  await fetch(`/threads/${threadId}/runs/wait`, json({ assistant_id: "steps", input: {}, feedback_keys: ["k"] })).then((r) => r.text());
  const [run] = await client.runs.list(threadId);
  const [listed] = await listOf(threadId, run?.run_id ?? "");
  expect((await give(listed?.url ?? "", { score: 0.5 }))[0]).toBe(200);
  expect(Date.parse(listed?.expires_at ?? "") - Date.now()).toBeGreaterThan(2.9 * 3_600_000);
  expect(await rowsOf(run?.run_id ?? "")).toMatchObject([{ score: 0.5, changes: 1 }]);
});

test("wait and join return the URLs beside the output", async () => {
  const threadId = await newThread();
  const wait = async (path: string, graph: string, input: object = {}) =>
    (await fetch(path, json({ assistant_id: graph, input, feedback_keys: ["k", "l"] }))).json();
  const { __feedback__: waited, ...output } = await wait(`/threads/${threadId}/runs/wait`, "steps");
  expect(output).toEqual({ log: ["one", "two", "three"], last: "three" });
  expect((await give(waited.k, { score: 1 }))[0]).toBe(200);
  const [run] = await client.runs.list(threadId);
  const { __feedback__: joined, ...again } = (await client.runs.join(threadId, run?.run_id ?? "")) as Record<string, object>;
  expect([Object.keys(joined ?? {}), again]).toEqual([["k", "l"], output]);
  const urls = { k: expect.stringContaining("/feedback/tokens/"), l: expect.any(String) };
  expect(await wait("/runs/wait", "review", { topic: "rivers" })).toMatchObject({ __interrupt__: [{}], __feedback__: urls });
});

test("a search finds what was given, by key, score, run, thread, assistant and time, and not what was only offered", async () => {
  const threadId = await newThread();
  const { runId, offer } = await streamed(threadId, ["search_a", "search_b", "search_c"]);
  await give(offer.search_a ?? "", { score: 1, comment: "good" });
  await give(offer.search_b ?? "", { score: -1 });
  const keys = async (filter: object) => (await search({ thread_id: threadId, ...filter })).map(({ key }) => key).sort();
  expect(await keys({})).toEqual(["search_a", "search_b"]);
  expect(await keys({ key: "search_b" })).toEqual(["search_b"]);
  expect(await keys({ score_min: 0 })).toEqual(["search_a"]);
  expect(await keys({ score_max: 0 })).toEqual(["search_b"]);
  expect(await keys({ run_id: runId, graph_id: "steps", assistant_id: "steps" })).toEqual(["search_a", "search_b"]);
  expect(await keys({ assistant_id: "review" })).toEqual([]);
  expect(await keys({ given_until: "2020-01-01T00:00:00Z" })).toEqual([]);
  const page = await fetch("/feedback/search", json({ thread_id: threadId, limit: 1 }));
  expect([page.headers.get("x-pagination-total"), page.headers.get("x-pagination-next")]).toEqual(["2", "1"]);
});

test("a token that was changed, cut, or signed by somebody else is refused, and writes nothing", async () => {
  const { runId, offer } = await streamed(await newThread(), ["mine"]);
  const [signed = "", signature = ""] = pathOf(offer.mine ?? "")
    .slice("/feedback/tokens/".length)
    .split(".");
  const [run, expires] = JSON.parse(Buffer.from(signed, "base64url").toString());
  const other = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString("base64url");
  const forged = [
    `${other([run, expires, "other"])}.${signature}`,
    `${other([run, expires + 1_000_000, "mine"])}.${signature}`,
    `${signed}.${createHmac("sha256", "").update(`ensemble feedback ${signed}`).digest("base64url")}`,
    `${signed}.${signature.slice(0, -1)}`,
    `${signed}.`,
    signed,
    "x",
  ];
  for (const token of forged) {
    expect(await give(`http://x/feedback/tokens/${token}`, { score: 1 })).toEqual([404, expect.stringContaining("not valid")]);
  }
  expect((await fetch(`/feedback/tokens/${"x".repeat(2_001)}`)).status).toBe(414);
  expect(await rowsOf(runId)).toMatchObject([{ key: "mine", changes: 0 }]);
});

test("an expired URL is refused, and a new one from the list works", async () => {
  const threadId = await newThread();
  const { runId } = await streamed(threadId, ["k"]);
  expect(await give(await expired(runId, "k"))).toEqual([403, expect.stringContaining("expired")]);
  const [listed] = await listOf(threadId, runId);
  expect((await give(listed?.url ?? ""))[0]).toBe(200);
});

test("what is too large or of a wrong form is refused with its name", async () => {
  const { runId, offer } = await streamed(await newThread(), ["k"]);
  const url = offer.k ?? "";
  expect(await give(url, { comment: "x".repeat(10_001) })).toEqual([422, expect.stringContaining("body.comment")]);
  expect((await give(url, { value: { big: "x".repeat(70_000) } }))[0]).toBe(413);
  expect(await give(url, { comment: "a\u0000b" })).toEqual([422, expect.stringContaining("body.comment")]);
  expect(await give(url, { score: "good" })).toEqual([422, expect.stringContaining("body.score")]);
  expect((await fetch(`${pathOf(url)}?score=1e999`)).status).toBe(422);
  expect((await fetch(pathOf(url), { ...json(0), body: '{"score":1e999}' })).status).toBe(422);
  expect(await rowsOf(runId)).toMatchObject([{ changes: 0 }]);
});

test("looking at a link gives no feedback", async () => {
  const { runId, offer } = await streamed(await newThread(), ["k"]);
  expect((await fetch(pathOf(offer.k ?? ""), { method: "HEAD" })).status).toBe(404);
  expect(await rowsOf(runId)).toMatchObject([{ changes: 0 }]);
});

test("a URL changes its row a hundred times at most, also when all calls come at once", async () => {
  const { runId, offer } = await streamed(await newThread(), ["k"]);
  const statuses = await Promise.all(Array.from({ length: 110 }, async (_, n) => (await give(offer.k ?? "", { score: n }))[0]));
  expect(statuses.filter((status) => status === 200)).toHaveLength(100);
  expect(statuses.filter((status) => status === 409)).toHaveLength(10);
  expect(await rowsOf(runId)).toMatchObject([{ changes: 100 }]);
});

test("keys are checked when the run is created", async () => {
  const refused = async (keys: unknown) => {
    const response = await fetch("/runs", json({ assistant_id: "steps", input: {}, feedback_keys: keys }));
    return [response.status, await response.text()];
  };
  for (const keys of [[""], ["x".repeat(101)], Array.from({ length: 51 }, String)])
    expect(await refused(keys)).toEqual([422, expect.stringContaining("body.feedback_keys")]);
});

test.each(["__proto__", "a/b?c#d", "ключ 🙂", '"', "k".repeat(100)])("a key may be %j", async (key) => {
  const threadId = await newThread();
  await fetch(`/threads/${threadId}/runs/wait`, json({ assistant_id: "steps", input: {}, feedback_keys: [key, key] })).then((r) =>
    r.text(),
  );
  const [run] = await client.runs.list(threadId);
  const listed = await listOf(threadId, run?.run_id ?? "");
  expect(listed.map((one) => one.key)).toEqual([key]);
  expect(JSON.parse((await give(listed[0]?.url ?? "", { score: 1 }))[1])).toMatchObject({ key, score: 1 });
});

test("the feedback of a run is deleted with the run, and of a thread with the thread", async () => {
  for (const remove of ["run", "thread"]) {
    const threadId = await newThread();
    const { runId, offer } = await streamed(threadId, ["k"]);
    await give(offer.k ?? "", { comment: "private" });
    await (remove === "run" ? client.runs.delete(threadId, runId) : client.threads.delete(threadId));
    expect(await rowsOf(runId)).toEqual([]);
    expect(await give(offer.k ?? "")).toEqual([404, expect.stringContaining("does not exist")]);
  }
});

test("feedback about a stateless run outlives the run, until its days have passed", async () => {
  const { runId, offer } = await streamed(null, ["k"]);
  await db.query("update runs set events_until = now() where run_id = $1", [runId]);
  await until(
    async () => (await sweepOnce(db)) !== undefined && (await db.query("select from runs where run_id = $1", [runId])).rowCount === 0,
  );
  expect((await give(offer.k ?? "", { score: 1 }))[0]).toBe(200);
  expect(await search({ run_id: runId })).toMatchObject([{ key: "k", score: 1, graph_id: "steps" }]);
  await until(async () => (await sweepOnce(db, { feedbackDays: 1 })) !== undefined);
  expect(await rowsOf(runId)).toHaveLength(1);
  await db.query("update feedback set updated_at = now() - interval '25 hours' where run_id = $1", [runId]);
  await until(async () => (await sweepOnce(db, { feedbackDays: 1 })) !== undefined);
  expect(await rowsOf(runId)).toEqual([]);
});

test("feedback about a stateless run survives the sweep of a release that knows no feedback", async () => {
  const { runId, offer } = await streamed(null, ["k"]);
  await give(offer.k ?? "", { score: 1 });
  await db.query("delete from threads where thread_id = (select thread_id from runs where run_id = $1)", [runId]); // as that release does
  expect(await search({ run_id: runId })).toMatchObject([{ key: "k", score: 1 }]);
});

test("feedback about a stateless run is deleted if a user deletes its thread with the assistant", async () => {
  const { assistant_id } = await client.assistants.create({ graphId: "steps" });
  const { runId, offer } = await streamed(null, ["k"], assistant_id);
  await give(offer.k ?? "", { comment: "private" });
  await client.assistants.delete(assistant_id, { deleteThreads: true });
  expect(await rowsOf(runId)).toEqual([]);
});

test("an attempt that has lost its right offers nothing", async () => {
  const { offerFeedback } = await import("../../src/feedback/feedback.ts");
  const threadId = await newThread();
  const { runId } = await streamed(threadId, []);
  expect(await offerFeedback(db, { runId, attempt: 1 }, ["k"])).toBeUndefined();
  expect(await rowsOf(runId)).toEqual([]);
});
