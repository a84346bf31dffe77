import { createServer } from "node:http";
import { afterAll, beforeEach, expect, test } from "vitest";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();

/** A system with effects. It notes each call, and refuses or holds the calls that a test names. */
const calls: string[] = [];
let refuses = (_call: string) => false;
let holds = (_call: string) => false;
const system = createServer((request, response) => {
  const call = (request.url ?? "").slice(1);
  calls.push(call);
  if (holds(call)) return;
  const isRefused = refuses(call);
  response.statusCode = isRefused ? 409 : 200;
  response.setHeader("content-type", "text/plain").end(isRefused ? "refused" : `done ${call}`);
});
await new Promise<void>((resolve) => system.listen(0, "127.0.0.1", resolve));
afterAll(() => {
  system.closeAllConnections();
  system.close();
});
const address = `127.0.0.1:${Object(system.address()).port}`;
process.env.ENSEMBLE_PATTERN_HOSTS = address;

beforeEach(() => {
  model.script();
  calls.length = 0;
  refuses = () => false;
  holds = () => false;
});

interface Saga {
  status: string;
  output: unknown;
  failedAt: string | null;
  error: string | null;
  outcomes: Record<string, { status: string; output: unknown; tries: number }>;
  compensations: { step: string; outcome: string; error: string | null; tries: number }[];
  messages: { content: string }[];
}

const call = (name: string) => ({ tool: "fetch_page", args: { url: `http://${address}/${name}` } });
const step = (name: string, more: object = {}) => ({ name, execute: call(name), compensate: call(`undo-${name}`), retries: 0, ...more });
const order = ["reserve", "charge", "ship"].map((name) => step(name));
const run = (saga: object[], more: object = {}) =>
  client.runs.wait(null, "saga", { input: { task: "Order 7", saga, ...more } } as object) as Promise<unknown> as Promise<Saga>;

test("a saga whose steps all succeed is completed, and undoes nothing", async () => {
  const { status, output, compensations } = await run(order);
  expect({ status, output, compensations }).toEqual({ status: "completed", output: "done ship", compensations: [] });
  expect(calls).toEqual(["reserve", "charge", "ship"]);
});

test("with nothing but a task, workers do the usual steps", async () => {
  model.respond(() => ({ tokens: ["I would do it."] }));
  const done = (await client.runs.wait(null, "saga", { input: { task: "Move the database" } })) as never as Saga;
  expect(done).toMatchObject({ status: "completed", output: "I would do it." });
  expect(Object.keys(done.outcomes)).toEqual(["prepare", "apply", "confirm"]);
});

test.each([
  ["reserve", []],
  ["charge", ["reserve"]],
  ["ship", ["charge", "reserve"]],
])("if %s fails, the completed steps are undone, the last one first", async (failing, undone) => {
  refuses = (name) => name === failing;
  const { status, failedAt, error, compensations, messages } = await run(order);
  expect({ status, failedAt }).toEqual({ status: "compensated", failedAt: failing });
  expect(error).toContain("409");
  expect(compensations.map(({ step }) => step)).toEqual(undone);
  expect(calls.filter((name) => name.startsWith("undo"))).toEqual(undone.map((name) => `undo-${name}`));
  expect(messages.at(-1)?.content).toContain(`"${failing}" failed`);
});

test("a compensation that fails is tried four times and recorded, and the next one follows", async () => {
  refuses = (name) => name === "ship" || name === "undo-charge";
  const { status, compensations } = await run([step("book"), ...order]);
  expect(status).toBe("compensation_failed");
  expect(compensations.map(({ step, outcome, tries }) => [step, outcome, tries])).toEqual([
    ["charge", "failed", 4],
    ["reserve", "success", 1],
    ["book", "success", 1],
  ]);
  expect(compensations[0]?.error).toContain("409");
});

test("a failed step is tried again before anything is undone", async () => {
  let refusals = 0;
  refuses = (name) => name === "charge" && refusals++ < 2;
  const { status, outcomes } = await run([step("reserve"), step("charge", { retries: 2 })]);
  expect(status).toBe("completed");
  expect(outcomes.charge?.tries).toBe(3);
});

test("a step that timed out may have had its effect, so it is undone too", async () => {
  holds = (name) => name === "charge";
  const { status, compensations } = await run([step("reserve"), step("charge", { timeoutSeconds: 0.5 })]);
  expect(status).toBe("compensated");
  expect(compensations.map(({ step }) => step)).toEqual(["charge", "reserve"]);
});

test("after the pivot nothing is undone; later steps are tried longer", async () => {
  let refusals = 0;
  refuses = (name) => name === "ship" && refusals++ < 6;
  const saga = [step("reserve"), step("charge", { pivot: true }), step("ship")];
  const { status, outcomes } = await run(saga);
  expect(status).toBe("completed");
  expect(outcomes.ship?.tries).toBe(7);
  refuses = (name) => name === "ship";
  expect(await run(saga)).toMatchObject({ status: "incomplete", failedAt: "ship", compensations: [] });
});

test("steps that need the same one run side by side, and are undone in the reverse order of their completion", async () => {
  refuses = (name) => name === "close";
  const saga = [step("open"), step("a", { needs: ["open"] }), step("b", { needs: ["open"] }), step("close", { needs: ["a", "b"] })];
  const { compensations } = await run(saga);
  expect(compensations.map(({ step }) => step).slice(2)).toEqual(["open"]);
  expect(new Set(compensations.map(({ step }) => step))).toEqual(new Set(["a", "b", "open"]));
});

test("a compensation gets the input and the output of its step", async () => {
  model.respond((messages) =>
    messages.includes("do two") ? { status: 400 } : { tokens: [messages.includes("undo") ? "undone" : "the receipt"] },
  );
  const saga = [
    { name: "one", execute: { task: "do one" }, compensate: { task: "undo one" } },
    { name: "two", execute: { task: "do two" } },
  ];
  expect(await run(saga, { input: "the order" })).toMatchObject({ status: "compensated" });
  const last = JSON.stringify(model.requests.at(-1)?.messages);
  expect(last).toContain("the order");
  expect(last).toContain("the receipt");
});

test("a saga that was cancelled goes on when the thread is run on, or is undone on request", async () => {
  holds = (name) => name === "charge";
  const begin = async () => {
    const { thread_id } = await client.threads.create();
    const { run_id } = await client.runs.create(thread_id, "saga", { input: { task: "Order 7", saga: order } });
    await expect.poll(() => calls.includes("charge")).toBe(true);
    await client.runs.cancel(thread_id, run_id, true);
    calls.length = 0;
    return thread_id;
  };
  const undone = await begin();
  expect(await client.runs.wait(undone, "saga", { input: { undo: true } })).toMatchObject({ status: "compensated" });
  expect(calls).toEqual(["undo-charge", "undo-reserve"]);
  const goingOn = await begin();
  holds = () => false;
  expect(await client.runs.wait(goingOn, "saga", { input: null })).toMatchObject({ status: "completed" });
  expect(calls).toEqual(["charge", "ship"]);
});

test.each([
  ["two steps with one name", [step("a"), step("a")], "saga[1].name"],
  ["a step that needs a later one", [step("a", { needs: ["b"] }), step("b")], "saga[0].needs"],
  ["a step without work", [{ name: "a" }], "saga[0].execute"],
  ["a misspelt key", [step("a", { compensat: {} })], "saga[0].compensat"],
  ["no steps", [], "saga"],
])("%s is refused with its place, before anything runs", async (_what, saga, place) => {
  const refused = await run(saga).catch((error) => error);
  expect(refused.status).toBe(422);
  expect(refused.message).toContain(place);
  expect(calls).toEqual([]);
});
