import { beforeEach, expect, test } from "vitest";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { startPatterns } from "./service.ts";

const { client, model, db } = await startPatterns();

interface Supervised {
  results: Record<string, { status: string; tries: number; error: string | null; work: { summary: string } | null }>;
  report: { gaps: string[] };
  ledger: { agent: string; outcome: string; cached?: boolean; inputTokens: number; outputTokens: number; attempts: number }[];
  __interrupt__?: { value: { prompt: string } }[];
}

const step = (id: string, agent: string, ...dependsOn: string[]) => ({ id, agent, task: `do ${id}`, dependsOn });
const work = (summary: string): ScriptedReply => ({ json: { summary, findings: [] } });
const report = { tokens: ["Seen."] };

let steps: object[];
let replies: Record<string, ScriptedReply>;
let review: object;
beforeEach(async () => {
  await db.query("delete from cache_entries");
  steps = [step("a", "security"), step("b", "quality", "a")];
  replies = {};
  review = { decision: "continue", reason: "fine" };
  model.respond((messages) => {
    if (messages.includes("Split this task")) return { json: { steps } };
    if (messages.includes("Review the work")) return { json: review };
    if (messages.includes("Write the report")) return report;
    const id = /Task: do (\w+)/.exec(messages)?.[1] ?? "";
    return replies[id] ?? work(`seen ${id}`);
  });
});

const payload = (context: object = { cache: true }) => ({ input: { task: "Review", input: "code" }, context }) as object;
const run = (context?: object, threadId: string | null = null) =>
  client.runs.wait(threadId as string, "supervisor", payload(context)) as Promise<unknown> as Promise<Supervised>;
/** Returns the ids of the steps for which agents were called since the last call. */
const askedFor = () => {
  const ids = model.requests.flatMap(({ messages }) => /Task: do (\w+)/.exec(JSON.stringify(messages))?.[1] ?? []);
  model.requests.length = 0;
  return ids;
};
const worked = ({ ledger }: Supervised) => ledger.filter(({ agent }) => agent !== "supervisor");

test("a second run takes its agents' answers from the cache, and its ledger says so", async () => {
  const first = await run();
  expect(askedFor()).toEqual(["a", "b"]);
  expect(worked(first)).toMatchObject([{ inputTokens: 1, outputTokens: 1, attempts: 1 }, { inputTokens: 1 }]);
  expect(worked(first).some(({ cached }) => cached)).toBe(false);

  const second = await run();
  expect(askedFor()).toEqual([]);
  expect(second.results).toEqual(first.results);
  const free = { cached: true, inputTokens: 0, outputTokens: 0, dollars: 0, attempts: 0 };
  expect(worked(second)).toMatchObject([
    { agent: "security", outcome: "success", ...free },
    { agent: "quality", outcome: "success", ...free },
  ]);
});

test("on the same thread too, whoever asked first", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await run(undefined, threadId);
  const elsewhere = step("c", "security");
  steps = [elsewhere];
  await run(undefined);
  askedFor();
  const second = await run(undefined, threadId);
  expect(askedFor()).toEqual([]);
  expect(worked(second).map(({ cached = false }) => cached)).toEqual([true]);
});

test("without the word of the context nothing is remembered", async () => {
  await run({});
  await run({});
  expect(askedFor()).toEqual(["a", "b", "a", "b"]);
  expect((await db.query("select from cache_entries")).rowCount).toBe(0);
});

test("another task, model, agent, instruction, or context of the step is another question", async () => {
  const roster = [{ name: "security", role: "a reviewer" }];
  const cache = true;
  steps = [step("a", "security")];
  const variants = [
    { cache, roster },
    { cache, roster, models: { worker: "other" } },
    { cache, roster: [{ name: "security", role: "another reviewer" }] },
    { cache, roster: [{ name: "security", role: "a reviewer", instructions: "Be brief." }] },
  ];
  for (const context of variants) await run(context);
  expect(askedFor()).toHaveLength(4);
  steps = [{ ...step("a", "security"), task: "do a better" }];
  await run({ cache, roster });
  await client.runs.wait(null, "supervisor", { ...payload({ cache, roster }), input: { task: "Review", input: "other code" } } as object);
  expect(askedFor()).toHaveLength(2);
  await run({ cache, roster, models: { judge: "other" } });
  expect(askedFor()).toEqual([]);
});

test("what is older than it may be is asked for again", async () => {
  await run();
  askedFor();
  await db.query("update cache_entries set expires_at = now()");
  await run();
  expect(askedFor()).toEqual(["a", "b"]);
});

test("a failure is an outcome with its costs, harms no sibling, and is not remembered", async () => {
  steps = [step("good", "security"), step("bad", "quality"), step("after", "performance", "bad")];
  replies = { bad: { json: { wrong: 1 } } };
  const first = await run();
  expect(first.results).toMatchObject({ good: { status: "success" }, bad: { status: "failed", work: null, tries: 3 } });
  expect(worked(first).find(({ agent }) => agent === "quality")).toMatchObject({ outcome: "failed", inputTokens: 3, attempts: 3 });
  expect(first.report.gaps).toEqual([
    expect.stringMatching(/^bad \(do bad\): It does not fit/),
    "after (do after): skipped, because bad did not succeed",
  ]);
  askedFor();

  replies = {};
  const second = await run();
  expect(askedFor()).toEqual(["bad", "after"]);
  expect(worked(second).map(({ agent, cached = false }) => [agent, cached])).toEqual([
    ["security", true],
    ["quality", false],
    ["performance", false],
  ]);
});

test("three failures still ask a person, and what is tried again is asked again", async () => {
  const ids = ["w", "x", "y", "z"];
  steps = ids.map((id) => step(id, "security"));
  replies = Object.fromEntries(["x", "y", "z"].map((id) => [id, { status: 400 }]));
  const { thread_id: threadId } = await client.threads.create();
  expect((await run(undefined, threadId)).__interrupt__?.[0]?.value.prompt).toContain("1 of 4 done");
  askedFor();
  replies = {};
  const retried = { command: { resume: "retry" }, context: { cache: true } } as object;
  const done = (await client.runs.wait(threadId, "supervisor", retried)) as unknown as Supervised;
  expect(askedFor().toSorted()).toEqual(["x", "y", "z"]);
  expect(Object.values(done.results).map(({ status }) => status)).toEqual(["success", "success", "success", "success"]);
  expect(worked(done).filter(({ cached }) => cached)).toEqual([]);
});

test("an agent that asks a person is no failure, and what it answers then is remembered", async () => {
  steps = [step("a", "clerk")];
  const roster = [{ name: "clerk", role: "a clerk", tools: ["calculate"], approve: ["calculate"] }];
  const context = { cache: true, roster };
  const asking = { toolCall: { id: "call_1", name: "calculate", args: { expression: "1 + 1" } } };
  replies = { a: asking };
  const { thread_id: threadId } = await client.threads.create();
  expect((await run(context, threadId)).__interrupt__).toHaveLength(1);
  replies = {};
  const resumed = { command: { resume: { approved: true } }, context } as object;
  const done = (await client.runs.wait(threadId, "supervisor", resumed)) as unknown as Supervised;
  expect(worked(done).map(({ cached = false }) => cached)).toEqual([false, false]);
  askedFor();
  expect(worked(await run(context)).map(({ cached = false }) => cached)).toEqual([true, true]);
  expect(askedFor()).toEqual([]);
});

test("a cancelled call is no failure of its step", async () => {
  steps = [step("a", "security")];
  replies = { a: { hang: true } };
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "supervisor", payload());
  await expect.poll(askedFor).toEqual(["a"]);
  await client.runs.cancel(threadId, runId, true);
  expect((await client.runs.get(threadId, runId)).status).toBe("interrupted");
  expect((await client.threads.getState<Supervised>(threadId)).values.results).toEqual({});
});

test("a cache that cannot be read or written harms no run", async () => {
  await run();
  askedFor();
  await db.query("update cache_entries set type = 'nonsense', value = 'x'");
  expect((await run()).results.a?.status).toBe("success");
  expect(askedFor()).toEqual(["a", "b"]);
  await db.query("alter table cache_entries rename to elsewhere");
  try {
    expect((await run()).results.b?.status).toBe("success");
  } finally {
    await db.query("alter table elsewhere rename to cache_entries");
  }
});

test("a run with a cache that was cancelled in a step does the step when it goes on", async () => {
  replies = { b: { hang: true } };
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "supervisor", payload());
  await expect.poll(() => JSON.stringify(model.requests)).toContain("Task: do b");
  await client.runs.cancel(threadId, runId, true);
  expect((await client.threads.getState(threadId)).next).toEqual(["recall"]);
  askedFor();

  replies = {};
  const done = (await client.runs.wait(threadId, "supervisor", { input: null, context: { cache: true } })) as unknown as Supervised;
  expect(askedFor()).toEqual(["b"]);
  expect(done.results).toMatchObject({ a: { status: "success" }, b: { status: "success" } });
});
