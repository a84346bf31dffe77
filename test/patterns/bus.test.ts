import { beforeEach, expect, test } from "vitest";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface Bus {
  status: string;
  output: unknown;
  log: { id: string; from: string; to: string; type: string; payload: unknown; correlationId: string }[];
  receipts: { id: string; to: string; outcome: string; deliveries: number; reason: string | null }[];
  latency: { meanMs: number; maxMs: number } | null;
  ledger: { agent: string }[];
  messages: { content: string }[];
  __interrupt__?: { value: Record<string, unknown> }[];
}

const run = (context: object = {}, input: object = { task: "t" }) =>
  client.runs.wait(null, "bus", { input, context } as object) as Promise<unknown> as Promise<Bus>;
const says = (...send: object[]) => ({ json: { send: send.map((one) => ({ replyTo: "", ...one })), done: false } });
const to = (receiver: string, type: string, payload: string, replyTo = "") => ({ to: receiver, type, payload, replyTo });

/** Answers as the usual agents would: the coordinator asks the two others, and replies when both have answered. */
function answerAsUsual(answer = "Rivers bend."): void {
  let replies = 0;
  model.respond((messages) => {
    if (!messages.includes("You are a coordinator"))
      return says(to("coordinator", "COMPLETE", "seen", /\\"id\\":\\"(m\d)\\"/.exec(messages)?.[1]));
    if (messages.includes('\\"from\\":\\"user\\"')) return says(to("researcher", "REQUEST", "look"), to("critic", "REQUEST", "doubt"));
    replies += messages.split('\\"payload\\":\\"seen\\"').length - 1;
    return replies >= 2 ? says(to("user", "COMPLETE", answer)) : says();
  });
}

test("with nothing but a task, a coordinator asks two others and replies to the user", async () => {
  answerAsUsual();
  const { status, output, log, receipts, latency, messages } = await run({}, { task: "Why do rivers bend?" });
  expect({ status, output }).toEqual({ status: "answered", output: "Rivers bend." });
  expect(log.map(({ from, to, type, correlationId }) => [from, to, type, correlationId])).toEqual([
    ["user", "coordinator", "REQUEST", "m1"],
    ["coordinator", "researcher", "REQUEST", "m2"],
    ["coordinator", "critic", "REQUEST", "m3"],
    ["critic", "coordinator", "COMPLETE", "m3"],
    ["researcher", "coordinator", "COMPLETE", "m2"],
    ["coordinator", "user", "COMPLETE", "m6"],
  ]);
  expect(receipts.every(({ outcome, deliveries }) => outcome === "acked" && deliveries === 1)).toBe(true);
  expect(latency?.maxMs).toBeGreaterThan(0);
  expect(messages.map(({ content }) => content)).toEqual(["Why do rivers bend?", "Rivers bend."]);
});

test("the log of a thread can be read at any time", async () => {
  answerAsUsual();
  const { thread_id } = await client.threads.create();
  await client.runs.wait(thread_id, "bus", { input: { task: "t" } });
  const { values } = await client.threads.getState(thread_id);
  expect((values as never as Bus).log.filter(({ from }) => from === "coordinator")).toHaveLength(3);
});

const two = [
  { name: "left", role: "the left one" },
  { name: "right", role: "the right one" },
];

test("a call for help asks a person with the messages of the agent, and the answer is a message", async () => {
  model.respond((messages) =>
    messages.includes('\\"from\\":\\"human\\"') ? says(to("user", "COMPLETE", "painted")) : says(to("user", "HELP", "Which colour?")),
  );
  const { thread_id } = await client.threads.create();
  const context = { agents: two };
  const asked = (await client.runs.wait(thread_id, "bus", { input: { task: "Paint it" }, context })) as never as Bus;
  expect(asked.__interrupt__?.[0]?.value).toMatchObject({ type: "input", prompt: "left needs help: Which colour?" });
  expect(asked.__interrupt__?.[0]?.value.details).toMatchObject({ messages: [{ payload: "Paint it" }, { type: "HELP" }] });
  const done = (await client.runs.wait(thread_id, "bus", { command: { resume: "red" }, context })) as never as Bus;
  expect(done).toMatchObject({ status: "answered", output: "painted" });
  expect(done.log[2]).toMatchObject({ from: "human", to: "left", payload: "red", correlationId: "m2" });
});

test("a call for help that nobody answers in time is answered with `timed out`, and the agent goes on", async () => {
  model.respond((messages) =>
    messages.includes("timed out") ? says(to("user", "COMPLETE", "I chose red")) : says(to("user", "HELP", "Which colour?")),
  );
  const { thread_id } = await client.threads.create();
  const context = { agents: two, askTimeoutSeconds: 0.5 };
  await client.runs.wait(thread_id, "bus", { input: { task: "Paint it" }, context });
  const valuesNow = async () => (await client.threads.getState(thread_id)).values as never as Bus;
  await expect.poll(async () => (await valuesNow()).output, { timeout: 30_000 }).toBe("I chose red");
  expect((await valuesNow()).log[2]).toMatchObject({ from: "human", payload: "timed out" });
});

test("an agent whose model refuses it gets no more tries, and the sender is told", async () => {
  model.respond((messages) => {
    if (messages.includes("the right one.")) return { status: 400 };
    return messages.includes("UNDELIVERED") ? says(to("user", "COMPLETE", "alone")) : says(to("right", "REQUEST", "help me"));
  });
  const { status, output, receipts } = await run({ agents: two });
  expect({ status, output }).toEqual({ status: "answered", output: "alone" });
  expect(receipts.find(({ outcome }) => outcome === "dead")).toMatchObject({
    to: "right",
    deliveries: 1,
    reason: expect.stringContaining("400"),
  });
});

test("if the task itself cannot be delivered, the run says so", async () => {
  model.respond(() => ({ status: 400 }));
  const { status, output, messages } = await run({ agents: two });
  expect({ status, output }).toEqual({ status: "failures", output: null });
  expect(messages.at(-1)?.content).toMatch(/A message to left could not be delivered: .*400/);
});

test("after too many dead letters a person decides, and `retry` delivers them again", async () => {
  model.respond(() => ({ status: 400 }));
  const context = { agents: two, limits: { failures: 1 } };
  const { thread_id } = await client.threads.create();
  const asked = (await client.runs.wait(thread_id, "bus", { input: { task: "t" }, context })) as never as Bus;
  expect(asked.__interrupt__).toMatchObject([{ value: { options: ["retry", "adjust", "accept"] } }]);
  model.respond(() => says(to("user", "COMPLETE", "fine")));
  const done = await client.runs.wait(thread_id, "bus", { command: { resume: "retry" }, context });
  expect(done).toMatchObject({ status: "answered", output: "fine" });
});

test("unattended, the run ends after too many dead letters", async () => {
  model.respond(() => ({ status: 400 }));
  expect(await run({ agents: two, limits: { failures: 1 }, onFailures: "partial" })).toMatchObject({ status: "failures" });
});

test("a second run on the thread begins with an empty log, and a fork ends differently", async () => {
  answerAsUsual("first");
  const { thread_id } = await client.threads.create();
  const wait = async (more: object) => (await client.runs.wait(thread_id, "bus", more as object)) as never as Bus;
  expect(await wait({ input: { task: "t" } })).toMatchObject({ output: "first" });
  const history = await client.threads.getHistory(thread_id, { limit: 30 });
  answerAsUsual("second");
  const again = await wait({ input: { task: "u" } });
  expect(again.output).toBe("second");
  expect(again.log).toHaveLength(6);
  answerAsUsual("another");
  const before = history.findLast(({ next }) => next[0] === "turn");
  expect((await wait({ input: null, checkpoint: before?.checkpoint })).output).toBe("another");
});

test.each([
  ["a bus with one agent", { agents: two.slice(0, 1) }, "agents"],
  ["two agents with one name", { agents: [two[0], two[0]] }, "agents[1].name"],
  ["an entry that does not exist", { agents: two, entry: "middle" }, "entry"],
  ["a priority of nobody", { agents: two, priorities: { middle: 1 } }, "priorities.middle"],
  ["no time", { ackSeconds: 0 }, "ackSeconds"],
  ["a misspelt key", { ackSecond: 3 }, "ackSecond"],
])("%s is refused with its place, before anything runs", async (_what, context, place) => {
  const refused = await run(context).catch((error) => error);
  expect(refused.status).toBe(422);
  expect(refused.text ?? refused.message).toContain(place);
  expect(model.requests).toHaveLength(0);
});

test("a run without a task is refused", async () => {
  const refused = await run({}, {}).catch((error) => error);
  expect([refused.status, refused.message.includes("task")]).toEqual([422, true]);
});
