import { expect, test } from "vitest";
import { until } from "../command.ts";
import { startTestService } from "../service.ts";

const { client, db } = await startTestService();

interface Question {
  prompt: string;
  timeoutSeconds?: unknown;
  next?: Question;
}

/** Creates a thread on which these questions are open. Returns its id. */
async function openQuestions(questions: Question[], more: object = {}): Promise<string> {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "survey", { input: { questions }, ...more });
  return threadId;
}

const answer = (threadId: string, resume: unknown) => client.runs.wait(threadId, "survey", { command: { resume } });
const isIdle = async (threadId: string) => (await client.threads.get(threadId)).status === "idle";
const timersOf = async (threadId: string) =>
  (await db.query("select interrupt_id as id, due_at::text as due from timers where thread_id = $1 order by due_at", [threadId])).rows;
const idOf = async (threadId: string, prompt: string) =>
  Object.values((await client.threads.get(threadId)).interrupts)
    .flat()
    .find(({ value }) => (value as Question).prompt === prompt)?.id ?? "";
const makeDue = (threadId: string) => db.query("update timers set due_at = now() where thread_id = $1", [threadId]);

test("a question without an answer in time times out once, and the new run keeps the context and metadata of the old run", async () => {
  const threadId = await openQuestions([{ prompt: "q", timeoutSeconds: 0.2 }], { context: { who: "Ada" }, metadata: { mark: 1 } });
  const interruptId = await idOf(threadId, "q");
  await until(() => isIdle(threadId));
  expect(await client.threads.get(threadId)).toMatchObject({
    values: { answers: { q: { timedOut: true } }, context: { who: "Ada" } },
    interrupts: {},
  });
  expect(await client.runs.list(threadId)).toMatchObject([{ metadata: { mark: 1, timed_out: interruptId } }, { metadata: { mark: 1 } }]);
  expect(await timersOf(threadId)).toEqual([]);
});

test("an answer in time ends the timer, and the next question of the same node gets a timer of its own", async () => {
  const threadId = await openQuestions([
    { prompt: "first", timeoutSeconds: 60, next: { prompt: "second", next: { prompt: "third", timeoutSeconds: 0.2 } } },
  ]);
  expect(await timersOf(threadId)).toHaveLength(1);
  await answer(threadId, "one");
  expect(await timersOf(threadId)).toEqual([]);
  await answer(threadId, { [await idOf(threadId, "second")]: "two" });
  await until(() => isIdle(threadId));
  expect(await client.threads.get(threadId)).toMatchObject({
    values: { answers: { first: "one", second: "two", third: { timedOut: true } } },
  });
});

test("an answer to one of several questions does not stop the timers of the other questions", async () => {
  const threadId = await openQuestions([
    { prompt: "soon", timeoutSeconds: 60 },
    { prompt: "later", timeoutSeconds: 3_600 },
    { prompt: "ever" },
  ]);
  const [soon, later] = await timersOf(threadId);
  expect(soon.id).toBe(await idOf(threadId, "soon"));
  await answer(threadId, { [soon.id]: "yes" });
  expect(await timersOf(threadId)).toEqual([later]);
  await makeDue(threadId);
  await until(async () => (await timersOf(threadId)).length === 0 && (await client.threads.get(threadId)).status === "interrupted");
  await answer(threadId, { [await idOf(threadId, "ever")]: "at last" });
  expect(await client.threads.get(threadId)).toMatchObject({
    values: { answers: { soon: "yes", later: { timedOut: true }, ever: "at last" } },
  });
});

test("a question that cannot be timed out does not hold up the others, and is tried again later", async () => {
  const spoilt = await openQuestions([{ prompt: "q", timeoutSeconds: 3_600 }]);
  await db.query("update runs set kwargs = 'null' where thread_id = $1", [spoilt]);
  const sound = await openQuestions([{ prompt: "q", timeoutSeconds: 3_600 }]);
  const due = "update timers set due_at = now() - make_interval(secs => $2) where thread_id = $1";
  await db.query(due, [spoilt, 2]);
  await db.query(due, [sound, 1]);
  await until(() => isIdle(sound));
  const { rows } = await db.query("select due_at > now() as later from timers where thread_id = $1", [spoilt]);
  expect(rows).toEqual([{ later: true }]);
});

test("a thread that is at work is left alone until it rests", async () => {
  const question = [{ prompt: "q", timeoutSeconds: 3_600 }];
  const [busy, other] = [await openQuestions(question), await openQuestions(question)];
  const later = await client.runs.create(busy, "survey", { command: { resume: "answer" }, afterSeconds: 3_600 });
  await makeDue(busy);
  await makeDue(other);
  await until(() => isIdle(other)); // due after the first question, so the first one was skipped
  expect(await timersOf(busy)).toHaveLength(1);
  await client.runs.cancel(busy, later.run_id);
  await until(() => isIdle(busy));
  expect(await client.threads.get(busy)).toMatchObject({ values: { answers: { q: { timedOut: true } } } });
});

test("a question that was closed otherwise, or whose thread is gone, is not timed out", async () => {
  const question = [{ prompt: "q", timeoutSeconds: 3_600 }];
  const [closed, deleted] = [await openQuestions(question), await openQuestions(question)];
  const copy = await client.threads.copy(deleted);
  await client.threads.updateState(closed, { values: { answers: { q: "by hand" } }, asNode: "ask" });
  await client.threads.delete(deleted);
  await makeDue(closed);
  await until(async () => (await timersOf(closed)).length === 0);
  expect(await client.runs.list(closed)).toHaveLength(1);
  expect(await client.threads.get(closed)).toMatchObject({ values: { answers: { q: "by hand" } } });
  expect([await timersOf(deleted), await timersOf(copy.thread_id)]).toEqual([[], []]);
});

test("an invalid timeout starts no timer, and neither does a stateless run", async () => {
  for (const timeoutSeconds of ["soon", 0, -1, null, {}]) {
    expect(await timersOf(await openQuestions([{ prompt: "q", timeoutSeconds }]))).toEqual([]);
  }
  expect(await timersOf(await openQuestions([{ prompt: "q", timeoutSeconds: 1e300 }]))).toHaveLength(1);
  await client.runs.wait(null, "survey", { input: { questions: [{ prompt: "q", timeoutSeconds: 60 }] } });
  const { rows } = await db.query("select from timers join threads using (thread_id) where temporary");
  expect(rows).toEqual([]);
});
