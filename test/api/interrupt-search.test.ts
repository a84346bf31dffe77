import { expect, test } from "vitest";
import { systemAssistantId } from "../../src/db/ids.ts";
import { startTestService } from "../service.ts";

const { client, db, fetch } = await startTestService();

interface Found extends Record<string, unknown> {
  thread_id: string;
  interrupt_id: string;
  value: { prompt: string };
}

const post = (body: object) =>
  fetch("/interrupts/search", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

async function search(body: object = {}): Promise<Found[]> {
  const response = await post(body);
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return JSON.parse(text) as Found[];
}
const promptsOf = (found: Found[]) => found.map(({ value }) => value.prompt);

/** Creates a thread on which these questions are open. Returns its id. */
async function ask(...questions: object[]): Promise<string> {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "survey", { input: { questions } });
  return threadId;
}

test("an open question is found with its run, its value, the schema of its answer and its deadline", async () => {
  const schema = { type: "object", properties: { age: { type: "integer" } } };
  const threadId = await ask({ prompt: "one\u0000two", timeoutSeconds: 3_600, schema });
  const [run] = await client.runs.list(threadId);
  const [question, ...others] = await search({ thread_id: threadId });
  expect(others).toEqual([]);
  const { interrupts, state_updated_at: since } = (await client.threads.get(threadId)) as unknown as Record<string, object>;
  const [[taskId, [interrupt]]] = Object.entries(interrupts ?? {}) as [[string, [{ id: string; value: object }]]];
  expect(question).toEqual({
    thread_id: threadId,
    run_id: run?.run_id,
    graph_id: "survey",
    assistant_id: systemAssistantId("survey"),
    task_id: taskId,
    interrupt_id: interrupt.id,
    value: interrupt.value,
    response_schema: schema,
    created_at: since,
    deadline: expect.any(String),
  });
  expect(promptsOf([question as Found])).toEqual(["one\u0000two"]);
  const seconds = (Date.parse(String(question?.deadline)) - Date.parse(String(since))) / 1_000;
  expect(seconds).toBeCloseTo(3_600, -1);
});

test("an answered question is no longer found, nor one of a busy thread or of a thread that has gone on", async () => {
  const [answered, busy, stopped, updated] = [
    await ask({ prompt: "a" }),
    await ask({ prompt: "b" }),
    await ask({ prompt: "s" }),
    await ask({ prompt: "u" }),
  ];
  const open = async () => (await search({ limit: 1_000 })).map(({ thread_id }) => thread_id);
  expect(await open()).toEqual(expect.arrayContaining([answered, busy, stopped, updated]));
  await client.runs.wait(answered, "survey", { command: { resume: "yes" } });
  const later = await client.runs.create(busy, "survey", { command: { resume: "yes" }, afterSeconds: 3_600 });
  await client.threads.updateState(updated, { values: null, asNode: "__end__" });
  const found = await open();
  for (const threadId of [answered, busy, updated]) expect(found).not.toContain(threadId);
  expect(found).toContain(stopped);
  await client.runs.cancel(busy, later.run_id, true);
  expect(await open()).toContain(busy);
  await client.threads.delete(stopped);
  expect(await open()).not.toContain(stopped);
});

test("a breakpoint is no question", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "steps", { input: {}, interruptBefore: "*" });
  expect(await client.threads.get(threadId)).toMatchObject({ status: "interrupted" });
  expect(await search({ thread_id: threadId })).toEqual([]);
});

test("one of several questions is answered, and the others are still found, with their deadlines", async () => {
  const threadId = await ask({ prompt: "soon", timeoutSeconds: 600 }, { prompt: "later", timeoutSeconds: 6_000 }, { prompt: "ever" });
  const before = await search({ thread_id: threadId });
  expect(promptsOf(before).sort()).toEqual(["ever", "later", "soon"]);
  const byDeadline = { thread_id: threadId, sort_by: "deadline", sort_order: "asc" };
  expect(promptsOf(await search(byDeadline))).toEqual(["soon", "later"]);
  expect(promptsOf(await search({ ...byDeadline, sort_order: "desc" }))).toEqual(["later", "soon"]);
  const soon = before.find(({ value }) => value.prompt === "soon");
  await client.runs.wait(threadId, "survey", { command: { resume: { [soon?.interrupt_id ?? ""]: "yes" } } });
  const after = await search({ thread_id: threadId });
  expect(promptsOf(after).sort()).toEqual(["ever", "later"]);
  const deadlines = (found: Found[]) => found.find(({ value }) => value.prompt === "later")?.deadline;
  expect(deadlines(after)).toBe(deadlines(before));
});

test("questions are found by graph, assistant, age and deadline", async () => {
  await db.query("delete from threads");
  const [old, young] = [await ask({ prompt: "old", timeoutSeconds: 60 }), await ask({ prompt: "young", timeoutSeconds: 6_000 })];
  await db.query("update threads set state_updated_at = now() - interval '2 hours' where thread_id = $1", [old]);
  const copy = await client.threads.copy(young);
  const review = (await client.threads.create()).thread_id;
  await client.runs.wait(review, "review", { input: { topic: "rivers" } });
  const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
  const cases: [filter: object, threads: string[]][] = [
    [{}, [review, copy.thread_id, young, old]],
    [{ sort_order: "asc" }, [old, young, copy.thread_id, review]],
    [{ graph_id: "review" }, [review]],
    [{ graph_id: "survey" }, [copy.thread_id, young, old]],
    [{ assistant_id: "review" }, [review]],
    [{ assistant_id: systemAssistantId("survey") }, [copy.thread_id, young, old]],
    [{ graph_id: "nobody" }, []],
    [{ created_until: ago(60) }, [old]],
    [{ created_since: ago(60), graph_id: "survey" }, [copy.thread_id, young]],
    [{ deadline_until: ago(-10) }, [old]],
    [{ deadline_since: ago(-10) }, [young]],
  ];
  for (const [filter, threads] of cases) {
    const found = (await search(filter)).map(({ thread_id }) => thread_id);
    expect({ filter, found }).toEqual({ filter, found: threads });
  }
});

test("pages follow each other, also within a thread, and leave out the values that are not selected", async () => {
  await db.query("delete from threads");
  for (let n = 0; n < 3; n++) await ask(...Array.from({ length: 4 }, (_, m) => ({ prompt: `${n} ${m} ${"x".repeat(200_000)}` })));
  const seen: string[] = [];
  for (let next: string | null = "0"; next !== null; ) {
    const response = await post({ limit: 5, offset: Number(next) });
    expect(response.headers.get("x-pagination-total")).toBe("12");
    seen.push(...promptsOf((await response.json()) as Found[]).map((prompt) => prompt.slice(0, 3)));
    next = response.headers.get("x-pagination-next");
  }
  expect(seen).toHaveLength(12);
  expect(new Set(seen).size).toBe(12);
  const brief = await (await post({ select: ["interrupt_id"] })).text();
  expect(brief.length).toBeLessThan(1_000);
});
