import { createServer } from "node:http";
import { beforeEach, expect, test } from "vitest";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface FanOut {
  outputs: Record<string, { success: boolean; output: unknown; error: string | null }>;
  missing: string[];
  answer: string | null;
  wallMs: number;
  speedup: number | null;
  warnings: string[];
  messages: { content: string }[];
  ledger: { agent: string; outcome: string }[];
}

const task = (name: string, more: object = {}) => ({ name, do: { task: `do ${name}.` }, ...more });
const nameIn = (messages: string) => /do (\w+)\./.exec(messages)?.[1] ?? "?";
const run = (input: object, context: object = {}) =>
  client.runs.wait(null, "fan-out", { input: { task: "t", ...input }, context } as object) as Promise<unknown> as Promise<FanOut>;
const byName = { merge: "byName" };

test("with nothing but a task, three views are brought together in one text, which is streamed", async () => {
  model.respond((messages) => ({ tokens: [messages.includes("from the results") ? "one text" : "a view"] }));
  const { answer, outputs, missing, messages, ledger } = await run({});
  expect({ answer, missing }).toEqual({ answer: "one text", missing: [] });
  expect(Object.keys(outputs)).toEqual(["facts", "risks", "ideas"]);
  expect(messages.map(({ content }) => content)).toEqual(["t", "one text"]);
  expect(ledger.map(({ agent }) => agent)).toEqual(["facts", "risks", "ideas", "writer"]);
});

test("tasks do not see each other, and get the input of the run or their own", async () => {
  model.respond((messages) => ({ tokens: [`said ${nameIn(messages)}`] }));
  const { outputs, wallMs, speedup } = await run({ input: "shared", tasks: [task("a"), task("b", { input: { own: 1 } })] }, byName);
  expect(outputs).toMatchObject({ a: { success: true, output: "said a" }, b: { success: true, output: "said b" } });
  const [a, b] = model.requests.map(({ messages }) => JSON.stringify(messages)).sort();
  expect(a).toContain("shared");
  expect(b).toContain("own");
  expect(b).not.toContain("said a");
  expect(wallMs).toBeGreaterThan(0);
  expect(speedup).toBeGreaterThanOrEqual(1);
});

test("a failed optional task is named, and the others are brought together without it", async () => {
  model.respond((messages) => (nameIn(messages) === "b" ? { status: 400 } : { tokens: [`said ${nameIn(messages)}`] }));
  const { outputs, missing, messages } = await run({ tasks: [task("a"), task("b", { required: false })] }, byName);
  expect(missing).toEqual(["b"]);
  expect(outputs.b).toMatchObject({ success: false, output: null, error: expect.stringContaining("400") });
  expect(messages.at(-1)?.content).toContain("a: said a");
});

test("a failed required task fails the run after its siblings have ended, whose results stay", async () => {
  model.respond((messages) => (nameIn(messages) === "b" ? { status: 400 } : { tokens: ["s", "l", "o", "w"], pauseMs: 100 }));
  const { thread_id } = await client.threads.create();
  const input = { task: "t", tasks: [task("a", { required: false }), task("b")] };
  const failed = await client.runs.wait(thread_id, "fan-out", { input, context: byName } as object).catch((error) => error);
  expect(String(Object(failed).__error__?.message ?? failed)).toContain('"b" failed');
  const { values } = await client.threads.getState(thread_id);
  expect(Object(values).results).toMatchObject({ a: { status: "success", output: "slow" }, b: { status: "failed" } });
});

test("a task that hangs is cut off at its timeout, and the other nine are there", async () => {
  model.respond((messages) => (nameIn(messages) === "t3" ? { hang: true } : { tokens: ["fine"] }));
  const tasks = Array.from({ length: 10 }, (_, n) =>
    task(`t${n}`, { required: false, retries: 0, ...(n === 3 && { timeoutSeconds: 0.5 }) }),
  );
  const { missing, outputs, warnings } = await run({ tasks }, byName);
  expect(missing).toEqual(["t3"]);
  expect(outputs.t3?.error).toContain("0.5 s");
  expect(warnings[0]).toContain("10 tasks are many");
});

test.each([
  ["first", 1],
  [{ atLeast: 2 }, 2],
])("join %j aborts the others once enough have succeeded, so that they cost nothing more", async (join, count) => {
  model.respond((messages) => (Number(nameIn(messages).slice(1)) < count ? { tokens: ["fa", "st"], pauseMs: 200 } : { hang: true }));
  const left = model.abandoned();
  const { missing, outputs } = await run({ tasks: [task("t0"), task("t1"), task("t2")], join }, byName);
  await left;
  expect(missing).toHaveLength(3 - count);
  expect(outputs.t2).toMatchObject({ success: false, error: expect.stringContaining("Enough other") });
});

test("too few successes for the join fail the run", async () => {
  model.respond((messages) => (nameIn(messages) === "a" ? { tokens: ["fine"] } : { status: 400 }));
  await expect(run({ tasks: [task("a"), task("b")], join: { atLeast: 2 } }, byName)).rejects.toThrow('"b" failed');
});

test("fifty tasks are done with at most ten at once", async () => {
  let [atWork, most] = [0, 0];
  const counting = createServer(async (_, response) => {
    most = Math.max(most, ++atWork);
    await new Promise((resolve) => setTimeout(resolve, 100));
    atWork--;
    response.setHeader("content-type", "text/plain").end("counted");
  });
  await new Promise<void>((resolve) => counting.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${Object(counting.address()).port}`;
  process.env.ENSEMBLE_PATTERN_HOSTS = host;
  const tasks = Array.from({ length: 50 }, (_, n) => ({ name: `t${n}`, do: { tool: "fetch_page", args: { url: `http://${host}/${n}` } } }));
  const { outputs } = await run({ tasks }, { ...byName, limits: { stageMs: 0 } });
  expect(Object.values(outputs).every(({ output }) => output === "counted")).toBe(true);
  expect(most).toBe(10);
  counting.close();
});

const three = ["a", "b", "c", "d"].map((name) => task(name, { retries: 0 }));
const ask = async (context: object = byName) => {
  const { thread_id } = await client.threads.create();
  const asked = (await client.runs.wait(thread_id, "fan-out", { input: { task: "t", tasks: three }, context } as object)) as object;
  return { thread_id, asked: Object(asked).__interrupt__?.[0]?.value };
};

test("three failures stop new work and ask a person: retry does the failed ones again", async () => {
  let isBroken = true;
  model.respond((messages) => (isBroken && nameIn(messages) !== "a" ? { status: 400 } : { tokens: [`said ${nameIn(messages)}`] }));
  const { thread_id, asked } = await ask();
  expect(asked).toMatchObject({
    type: "selection",
    options: ["retry", "adjust", "accept"],
    prompt: expect.stringContaining("1 of 4 done"),
  });
  isBroken = false;
  const before = model.requests.length;
  const done = (await client.runs.wait(thread_id, "fan-out", {
    command: { resume: "retry" },
    context: byName,
  } as object)) as unknown as FanOut;
  expect(done.missing).toEqual([]);
  expect(model.requests.length - before).toBe(3);
});

test("after three failures a person can give new instructions, or accept what there is", async () => {
  model.respond((messages) => (messages.includes("in English") || nameIn(messages) === "a" ? { tokens: ["fine"] } : { status: 400 }));
  const first = await ask();
  await client.runs.wait(first.thread_id, "fan-out", { command: { resume: "adjust" }, context: byName } as object);
  const adjusted = (await client.runs.wait(first.thread_id, "fan-out", {
    command: { resume: "Write in English" },
    context: byName,
  } as object)) as never as FanOut;
  expect(adjusted.missing).toEqual([]);
  const second = await ask();
  const accepted = (await client.runs.wait(second.thread_id, "fan-out", {
    command: { resume: "accept" },
    context: byName,
  } as object)) as never as FanOut;
  expect(accepted.missing).toEqual(["b", "c", "d"]);
});

test("an unattended caller accepts partial results beforehand", async () => {
  model.respond((messages) => (nameIn(messages) === "a" ? { tokens: ["fine"] } : { status: 400 }));
  const { missing } = await run({ tasks: three }, { ...byName, onFailures: "partial" });
  expect(missing).toEqual(["b", "c", "d"]);
});

test.each([
  ["two tasks with one name", { tasks: [task("a"), task("a")] }, "tasks[1].name"],
  ["a task without work", { tasks: [{ name: "a" }] }, "tasks[0].do"],
  ["no tasks", { tasks: [] }, "tasks"],
  ["an unknown join", { join: "any" }, "join"],
  ["a misspelt key", { tasks: [task("a", { requierd: true })] }, "tasks[0].requierd"],
])("%s is refused with its place, before anything runs", async (_what, input, place) => {
  const refused = await run(input).catch((error) => error);
  expect(refused.status).toBe(422);
  expect(refused.message).toContain(place);
  expect(model.requests).toHaveLength(0);
});
