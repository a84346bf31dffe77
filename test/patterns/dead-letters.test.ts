import { createServer } from "node:http";
import { afterAll, beforeEach, expect, test } from "vitest";
import { type Letter, lettersAt, only } from "../dead-letters.ts";
import { startPatterns } from "./service.ts";

const { client, model, fetch } = await startPatterns();
const letters = lettersAt({ fetch });
beforeEach(() => model.script());

const calls: string[] = [];
let refuses = (_call: string) => false;
const system = createServer((request, response) => {
  const call = (request.url ?? "").slice(1);
  calls.push(call);
  response.statusCode = refuses(call) ? 409 : 200;
  response.setHeader("content-type", "text/plain").end(`did ${call}`);
});
await new Promise<void>((resolve) => system.listen(0, "127.0.0.1", resolve));
afterAll(() => system.close());
const address = `127.0.0.1:${Object(system.address()).port}`;
process.env.ENSEMBLE_PATTERN_HOSTS = address;
const call = (name: string) => ({ tool: "fetch_page", args: { url: `http://${address}/${name}` } });

/** Runs a pattern on a new thread, and returns its values and its letters. */
async function run(graph: string, input: object, context: object = {}): Promise<{ values: Record<string, unknown>; dead: Letter[] }> {
  const { thread_id: threadId } = await client.threads.create();
  const request = { input: { task: "t", ...input }, context: { limits: { stageMs: 0 }, ...context } };
  const values = await client.runs.wait(threadId, graph, request as object).catch(() => ({}));
  return { values: values as Record<string, unknown>, dead: await letters.of(threadId) };
}

/** Redrives a letter, and returns it with the values of its run. */
async function redriven({ id }: Letter): Promise<Letter & { values: Record<string, unknown> }> {
  await letters.redrive({ ids: [id] });
  const letter = await letters.settled(id);
  const { values } = await client.threads.get(letter.redrive?.thread_id ?? "");
  return { ...letter, values: values as Record<string, unknown> };
}

test("a fan-out task that failed is a letter, and its redrive does only this task", async () => {
  refuses = (name) => name === "b";
  const tasks = ["a", "b"].map((name) => ({ name, do: call(name), required: false, retries: 1 }));
  const dead = only((await run("fan-out", { tasks }, { merge: "byName" })).dead);
  expect(dead).toMatchObject({
    kind: "task",
    item: "b",
    node: "conclude",
    attempts: 2,
    error: { message: expect.stringContaining("409") },
  });

  expect(await redriven(dead)).toMatchObject({ state: "dead", attempts: 3 }); // the run succeeds without the task, but the task fails again
  refuses = () => false;
  const { state, values } = await redriven(dead);
  expect(state).toBe("redriven");
  expect(values.outputs).toEqual({ b: { success: true, output: expect.stringContaining("did b"), error: null } });
});

test("a required fan-out task that failed fails the run, which is one letter, and its redrive tries the failed tasks again", async () => {
  refuses = () => true;
  const tasks = ["a", "b"].map((name) => ({ name, do: call(name), retries: 0 }));
  const dead = only((await run("fan-out", { tasks }, { merge: "byName" })).dead);
  expect(dead).toMatchObject({ kind: "run", node: "conclude" });
  calls.length = 0;
  refuses = (name) => name === "b";
  expect(await redriven(dead)).toMatchObject({ state: "dead", attempts: 2 });
  expect(calls.sort()).toEqual(["a", "b"]); // each failed task is tried once more
  refuses = () => false;
  const { state, values } = await redriven(dead);
  expect({ state, calls: calls.sort(), missing: values.missing }).toEqual({ state: "redriven", calls: ["a", "b", "b"], missing: [] });
});

test("a partition that failed is a letter with its items", async () => {
  refuses = () => true;
  const input = { items: [1, 2, 3, 4], partitions: 2, reduce: { compute: "concat" }, map: call("map") };
  const { dead } = await run("map-reduce", input, { errorTolerance: 1, retries: 0, onFailures: "partial" });
  expect(dead.map(({ kind, item }) => `${kind}: ${item}`).sort()).toEqual(["partition: partition 0", "partition: partition 1"]);
  const first = dead.find(({ item }) => item === "partition 0") as Letter;
  expect((await letters.get(first.id)).payload).toMatchObject({ input: { items: [1, 2], partitions: 1 } });
  refuses = () => false;
  const { state, values } = await redriven(first);
  expect(state).toBe("redriven");
  expect(values.outcomes).toMatchObject([{ partition: 0, from: 0, to: 2, status: "success" }]);
});

test("a compensation that failed is a letter, and its redrive undoes only this step", async () => {
  refuses = (name) => name === "ship" || name === "undo-charge";
  const saga = ["reserve", "charge", "ship"].map((name) => ({ name, execute: call(name), compensate: call(`undo-${name}`), retries: 0 }));
  const { values, dead } = await run("saga", { saga });
  expect(values.status).toBe("compensation_failed");
  const letter = only(dead);
  expect(letter).toMatchObject({ kind: "compensation", item: "charge", attempts: 4 });
  expect(await redriven(letter)).toMatchObject({ state: "dead", values: { status: "compensation_failed" } });
  refuses = () => false;
  expect(await redriven(letter)).toMatchObject({
    state: "redriven",
    values: { status: "compensated", compensations: [{ step: "charge", outcome: "success" }] },
  });
});

test("a message that its receiver could not handle is a letter, and its redrive gives the receiver the message as its task", async () => {
  const agents = ["lead", "helper"].map((name) => ({ name, role: `a ${name}` }));
  const lead = { send: [{ to: "helper", type: "REQUEST", payload: "sum it", replyTo: "" }], done: false };
  const answer = { send: [{ to: "user", type: "COMPLETE", payload: "5", replyTo: "" }], done: true };
  let isMended = false;
  model.respond((messages) => {
    const isHelper = messages.includes('you\\":\\"helper');
    if (isHelper) return isMended ? { json: answer } : { status: 400 };
    return { json: messages.includes("UNDELIVERED") ? answer : lead };
  });
  const { dead } = await run("bus", {}, { agents, onFailures: "partial" });
  const letter = only(dead);
  expect(letter).toMatchObject({ kind: "message", item: "m2 to helper", node: "conclude" });
  expect((await letters.get(letter.id)).payload).toEqual({ input: { task: "sum it" }, context: { entry: "helper" } });
  isMended = true;
  expect(await redriven(letter)).toMatchObject({ state: "redriven", values: { output: "5" } });
});
