import { beforeEach, expect, test, vi } from "vitest";
import { startPatterns } from "./service.ts";

vi.setConfig({ testTimeout: 60_000 });

const { client, model, db } = await startPatterns();
beforeEach(() => model.script());

interface Machine {
  state: string;
  status: string;
  facts: Record<string, unknown>;
  visits: Record<string, number>;
  history: { from: string; event: string | null; to: string; reason: string; action: string | null }[];
  refused: { event: string; error: string; message: string } | null;
  __interrupt__?: { value: Record<string, unknown> }[];
  __error__?: { message: string };
}

/** The machine of a scenario: it may pause three times, for a minute at most. */
const scenario = (pauseSeconds: number) => ({
  initial: "pending",
  states: {
    pending: {},
    running: {},
    paused: { timeoutSeconds: pauseSeconds, onTimeout: "failed" },
    complete: { final: true },
    failed: { final: true },
  },
  transitions: [
    { from: "pending", event: "start", to: "running" },
    { from: "running", event: "pause", to: "paused", guard: { path: "visits.paused", exists: false } },
    { from: "running", event: "pause", to: "paused", guard: { path: "visits.paused", lt: 3 } },
    { from: "running", event: "pause", to: "failed" },
    { from: "paused", event: "resume", to: "running" },
    { from: "running", event: "finish", to: "complete" },
  ],
});
const send = (threadId: string, input: object, context: object) =>
  client.runs.wait(threadId as string, "state-machine", {
    input,
    context,
    raiseError: false,
  } as object) as Promise<unknown> as Promise<Machine>;
const aThread = async () => (await client.threads.create()).thread_id;
const stateOf = async (threadId: string) => (await client.threads.getState(threadId)).values as never as Machine;
const secondsLeft = async (threadId: string) => {
  const { rows } = await db.query("select extract(epoch from due_at - now())::float as seconds from timers where thread_id = $1", [
    threadId,
  ]);
  return rows.map(({ seconds }) => Number(seconds));
};
/** Waits until the thread's machine is in a state, without sending anything. */
const reaches = (threadId: string, state: string) =>
  expect.poll(async () => (await stateOf(threadId)).state, { timeout: 30_000, interval: 200 }).toBe(state);

test("a scenario runs, pauses, goes on and completes; in a pause the service has a timer for it", async () => {
  const thread = await aThread();
  const context = scenario(60);
  await send(thread, { event: "start" }, context);
  expect(await secondsLeft(thread)).toEqual([]);
  const paused = await send(thread, { event: "pause", reason: "sync_point" }, context);
  expect(paused.__interrupt__).toMatchObject([{ value: { type: "selection", options: ["resume"], details: { state: "paused" } } }]);
  const [seconds = 0] = await secondsLeft(thread);
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(60);
  await send(thread, { event: "resume" }, context);
  expect(await secondsLeft(thread)).toEqual([]);
  const done = await send(thread, { event: "finish" }, context);
  expect(done).toMatchObject({ state: "complete", status: "final" });
  expect(done.history.map(({ to, reason }) => [to, reason])).toEqual([
    ["running", "event"],
    ["paused", "sync_point"],
    ["running", "event"],
    ["complete", "event"],
  ]);
});

test("the fourth pause of a scenario fails it", async () => {
  const thread = await aThread();
  const context = scenario(60);
  await send(thread, { event: "start" }, context);
  for (let n = 0; n < 3; n++) {
    await send(thread, { event: "pause" }, context);
    await send(thread, { event: "resume" }, context);
  }
  expect(await send(thread, { event: "pause" }, context)).toMatchObject({ state: "failed", visits: { paused: 3 } });
});

test("a state whose time limit passes is left by itself, though nobody sends anything", async () => {
  const thread = await aThread();
  const context = scenario(0.5);
  await send(thread, { event: "start" }, context);
  await send(thread, { event: "pause" }, context);
  await reaches(thread, "failed");
  const { history } = await stateOf(thread);
  expect(history.at(-1)).toMatchObject({ from: "paused", event: null, to: "failed", reason: "timeout" });
  expect((await send(thread, { event: "resume" }, context)).__error__?.message).toContain("the state is final");
});

test("an answer to the machine's question is an event too", async () => {
  const thread = await aThread();
  const context = scenario(60);
  await send(thread, { event: "start" }, context);
  await send(thread, { event: "pause" }, context);
  const resumed = await client.runs.wait(thread, "state-machine", { command: { resume: "resume" }, context });
  expect(resumed).toMatchObject({ state: "running", status: "waiting" });
});

test("an event that a state with a time limit does not allow changes nothing, and the timer goes on", async () => {
  const thread = await aThread();
  const context = scenario(60);
  await send(thread, { event: "start" }, context);
  await send(thread, { event: "pause" }, context);
  const { since } = (await stateOf(thread)) as never;
  const asked = await send(thread, { event: "finish", data: { early: true } }, context);
  expect(asked.__interrupt__?.[0]?.value.prompt).toContain("InvalidTransition: paused → complete by finish; allowed: resume");
  expect(await stateOf(thread)).toMatchObject({
    state: "paused",
    since,
    facts: {},
    refused: { event: "finish", error: "InvalidTransition" },
  });
  const [seconds = 0] = await secondsLeft(thread);
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(60);
  expect(await send(thread, { event: "resume" }, context)).toMatchObject({ state: "running", refused: null });
});

const asking = (timeoutSeconds: number) => ({
  initial: "new",
  states: { new: {}, open: { timeoutSeconds, onTimeout: "expired" }, approved: { final: true }, expired: { final: true } },
  transitions: [
    { from: "new", event: "open", to: "open" },
    { from: "open", event: "approve", to: "approved", action: { ask: "Who approves?" }, saveAs: "by" },
  ],
});

test("the time limit of a state passes while a person is asked: the machine goes on without the answer", async () => {
  const thread = await aThread();
  const context = asking(2);
  await send(thread, { event: "open" }, context);
  const asked = await send(thread, { event: "approve" }, context);
  expect(asked.__interrupt__).toMatchObject([{ value: { type: "input", prompt: "Who approves?" } }]);
  await reaches(thread, "expired");
  const { history, facts } = await stateOf(thread);
  expect(history.map(({ from, event, to, reason }) => [from, event, to, reason])).toEqual([
    ["new", "open", "open", "event"],
    ["open", null, "expired", "timeout"],
  ]);
  expect(facts).toEqual({});
});

test("a person who answers in time is the action of the transition", async () => {
  const thread = await aThread();
  const context = asking(60);
  await send(thread, { event: "open" }, context);
  await send(thread, { event: "approve" }, context);
  const [seconds = 0] = await secondsLeft(thread);
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(60);
  const done = await client.runs.wait(thread, "state-machine", { command: { resume: "Ada" }, context });
  expect(done).toMatchObject({ state: "approved", facts: { by: "Ada" } });
});

test("a limit on questions that is shorter than the state's fails the action, and the machine stays", async () => {
  const thread = await aThread();
  const context = { ...asking(3_600), askTimeoutSeconds: 0.5 };
  context.transitions = context.transitions.map((one) => ({ ...one, retries: 0 }));
  await send(thread, { event: "open" }, context);
  await send(thread, { event: "approve" }, context);
  await expect.poll(async () => (await stateOf(thread)).history.length, { timeout: 30_000 }).toBe(2);
  expect((await stateOf(thread)).history[1]).toMatchObject({ from: "open", event: "approve", to: "open", action: "failed" });
});
