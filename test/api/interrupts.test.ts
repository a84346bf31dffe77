import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { collect } from "../sse.ts";
import { followThread } from "../thread-events.ts";

const { client, fetch } = await startTestService();

type Asked = { __interrupt__: { id: string; value: unknown }[] };

test("a run waits for its reviewer and ends on approval", async () => {
  const { thread_id: threadId } = await client.threads.create();

  const asked = await client.runs.wait(threadId, "review", { input: { topic: "rivers" } });
  expect(asked).toEqual({ __interrupt__: [{ id: expect.any(String), value: { draft: "On rivers" } }] });
  const thread = await client.threads.get(threadId);
  expect(thread).toMatchObject({ status: "interrupted", values: { draft: "On rivers" } });
  expect(Object.values(thread.interrupts)).toEqual([(asked as Asked).__interrupt__]);
  expect(await client.runs.list(threadId)).toMatchObject([{ status: "success" }]);

  const done = await client.runs.wait(threadId, "review", { command: { resume: { approved: true } } });
  expect(done).toMatchObject({ published: "On rivers", asked: 1 });
  expect(await client.threads.get(threadId)).toMatchObject({ status: "idle", interrupts: {} });
});

test("an interrupt is streamed as an update and as values that contain nothing else", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const events = await collect(client.runs.stream(threadId, "review", { input: { topic: "x" }, streamMode: ["updates", "values"] }));
  const told = { __interrupt__: [{ id: expect.any(String), value: { draft: "On x" } }] };
  expect(events.slice(-2)).toMatchObject([
    { event: "updates", data: told },
    { event: "values", data: told },
  ]);
  expect(Object.keys(events.at(-1)?.data as object)).toEqual(["__interrupt__"]);
});

test("several questions at once are answered by id, and one node can ask twice", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const ask = (payload: object) => client.runs.wait(threadId, "two-questions", payload) as Promise<unknown> as Promise<Asked>;

  const both = await ask({ input: {} });
  const interrupts = Object.values((await client.threads.get(threadId)).interrupts).flat() as Asked["__interrupt__"];
  expect(interrupts.map(({ value }) => value)).toEqual(expect.arrayContaining([{ question: "name" }, { question: "age" }]));
  const idOf = (question: string) => interrupts.find(({ value }) => (value as { question: string }).question === question)?.id ?? "";
  expect(both.__interrupt__.length).toBeGreaterThan(0);

  await ask({ command: { resume: { [idOf("name")]: "Ada" } } });
  expect(await client.threads.get(threadId)).toMatchObject({ status: "interrupted" });
  const first = await ask({ command: { resume: { [idOf("age")]: 36 } } });
  expect(first.__interrupt__[0]?.value).toBe("first");
  const second = await ask({ command: { resume: "one" } });
  expect(second.__interrupt__[0]?.value).toBe("second");
  const done = await ask({ command: { resume: "two" } });
  expect(done).toEqual({ answers: expect.arrayContaining(["name Ada", "age 36", "first one", "second two"]) });
});

test("a thread shows only its open questions, and an answer reaches the question with its id", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const answer = (resume: unknown) => client.runs.wait(threadId, "survey", { command: { resume } });
  const open = async () => {
    const { status, interrupts } = await client.threads.get(threadId);
    const { next, tasks } = await client.threads.getState(threadId);
    const prompts = [Object.values(interrupts), tasks.map((task) => task.interrupts)].map((lists) =>
      lists.flat().map(({ value }) => (value as { prompt: string }).prompt),
    );
    return { status, next, ids: Object.values(interrupts).flatMap((list) => list.map(({ id }) => id ?? "")), prompts };
  };
  const questions = [{ prompt: "a", next: { prompt: "b", next: { prompt: "c" } } }, { prompt: "z" }];
  await client.runs.wait(threadId, "survey", { input: { questions } });
  const { ids, ...asked } = await open();
  expect(asked).toEqual({
    status: "interrupted",
    next: ["ask", "ask"],
    prompts: [
      ["a", "z"],
      ["a", "z"],
    ],
  });

  await answer({ [ids[1] ?? ""]: "last" });
  expect(await open()).toMatchObject({ status: "interrupted", next: ["ask"], prompts: [["a"], ["a"]] });
  await answer(false); // an answer without an id, of a kind that LangGraph would ignore
  expect(await open()).toMatchObject({ status: "interrupted", next: ["ask"], prompts: [["b"], ["b"]] });
  await answer({ [ids[0] ?? ""]: "by id" });
  expect(await open()).toMatchObject({ status: "interrupted", prompts: [["c"], ["c"]] });
  expect(await answer("bare")).toMatchObject({ answers: { a: false, b: "by id", c: "bare", z: "last" } });
  expect(await open()).toEqual({ status: "idle", next: [], ids: [], prompts: [[], []] });
});

test("a graph inside a graph asks, shows its state, and goes on", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const asked = (await client.runs.wait(threadId, "nested", { input: { text: "you", ask: true } })) as Asked;
  expect(asked.__interrupt__[0]?.value).toEqual({ confirm: "HELLO YOU" });

  const flat = await client.threads.getState(threadId);
  expect(flat.tasks[0]).toMatchObject({ name: "child", state: null, checkpoint: { checkpoint_ns: expect.stringMatching(/^child:/) } });
  const deep = await client.threads.getState(threadId, undefined, { subgraphs: true });
  expect(deep.tasks[0]?.state).toMatchObject({ values: { text: "HELLO YOU", childOnly: "seen" }, next: ["confirm"] });

  const inner = await client.threads.getHistory(threadId, { checkpoint: { checkpoint_ns: flat.tasks[0]?.checkpoint?.checkpoint_ns } });
  expect(inner[0]?.values).toMatchObject({ childOnly: "seen" });
  expect(await client.runs.wait(threadId, "nested", { command: { resume: "yes" } })).toMatchObject({ text: "HELLO YOU yes" });
});

test("a run stops before and after the nodes it was told to stop at", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const stopped = await client.runs.wait(threadId, "steps", { input: {}, interruptBefore: ["two"] });
  expect(stopped).toEqual({ __interrupt__: [] });
  const thread = await client.threads.get(threadId);
  expect(thread).toMatchObject({ status: "interrupted", values: { log: ["one"] } });
  expect(Object.values(thread.interrupts)).toEqual([[]]);

  await client.runs.wait(threadId, "steps", { input: null, interruptAfter: ["two"] });
  expect(await client.threads.getState(threadId)).toMatchObject({ values: { log: ["one", "two"] }, next: ["three"] });
  expect(await client.runs.wait(threadId, "steps", { input: null })).toMatchObject({ log: ["one", "two", "three"] });

  const each = await client.threads.create();
  await client.runs.wait(each.thread_id, "steps", { input: {}, interruptBefore: "*" });
  expect((await client.threads.getState(each.thread_id)).next).toEqual(["one"]);
});

test("a command can update and go to a node", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "steps", { input: {} });
  const values = await client.runs.wait(threadId, "steps", { command: { update: { log: ["jumped"] }, goto: "three" } });
  expect(values).toEqual({ log: ["one", "two", "three", "jumped", "three"], last: "three" });
});

test("a strict answer to a question that is not open is refused, and the thread stays as it was", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "review", { input: { topic: "rivers" } });
  const before = await client.threads.get(threadId);
  const resume = { ["0".repeat(32)]: { approved: true } };
  const strict = { command: { resume }, strict_resume: true } as object;
  await expect(create(threadId, strict)).resolves.toEqual([422, expect.stringContaining("0".repeat(32))]);
  expect(await client.threads.get(threadId)).toEqual(before);
  expect((await create(threadId, { command: { resume } }))[0]).toBe(200);
});

test("a strict answer that comes second fails with the ids that the SDK reads, and the thread keeps the first answer's result", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "two-questions", { input: {} });
  const [first, second] = Object.values((await client.threads.get(threadId)).interrupts).flat();
  const answer = { assistant_id: "two-questions", thread_id: threadId, command: { resume: { [first!.id!]: "yes" } } };
  const batch = [answer, { ...answer, strict_resume: true, metadata: { late: true } }];
  const made = await fetch("/runs/batch", { method: "POST", body: JSON.stringify(batch) });
  const [, late] = (await made.json()) as { run_id: string }[];
  const message = `No question with the id ${first!.id} is open.`;
  const refusal = { reason: "unknown_interrupt", interrupt_ids: [first!.id], pending_ids: [second!.id] };
  expect(await client.runs.join(threadId, late!.run_id)).toEqual({ __error__: { error: "UnknownInterruptError", message, ...refusal } });
  expect(await client.runs.get(threadId, late!.run_id)).toMatchObject({ status: "error" });
  const left = await client.threads.get(threadId);
  expect([left.status, Object.values(left.interrupts).flat()]).toEqual(["interrupted", [second]]);
  const ends = (await followThread(fetch, threadId, { channels: ["lifecycle"] }, 3)).filter(({ params }) => params.namespace.length === 0);
  expect(ends.at(-1)?.params.data).toMatchObject({ event: "failed", error: message, ...refusal });
});

test("the service says that it refuses such answers", async () => {
  expect(await (await fetch("/info")).json()).toMatchObject({ flags: { strict_resume: true } });
});

const create = async (threadId: string, body: object) => {
  const answer = await fetch(`/threads/${threadId}/runs`, { method: "POST", body: JSON.stringify({ assistant_id: "review", ...body }) });
  return [answer.status, await answer.text()];
};
