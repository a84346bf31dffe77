import { expect, test } from "vitest";
import { startTestService } from "../service.ts";

const { client, fetch } = await startTestService();
const colour = { type: "string", enum: ["red", "blue"] };

/** Creates a thread on which these questions are open. Returns their ids in the same order. */
async function openQuestions(...questions: { prompt: string; schema?: object; form?: boolean }[]) {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "survey", { input: { questions } });
  const open = Object.values((await client.threads.get(threadId)).interrupts).flat();
  const idOf = (prompt: string) => open.find(({ value }) => (value as { prompt: string }).prompt === prompt)?.id ?? "";
  return { threadId, ids: questions.map(({ prompt }) => idOf(prompt)) };
}

async function answer(threadId: string, resume: unknown) {
  const body = JSON.stringify({ assistant_id: "survey", command: { resume } });
  const response = await fetch(`/threads/${threadId}/runs/wait`, { method: "POST", body, headers: { "content-type": "application/json" } });
  return { status: response.status, ...((await response.json()) as { detail?: string; answers?: unknown }) };
}

test.each([
  [{ prompt: "colour", schema: colour }, ["green", 7, { timedOut: true }], "blue", "blue"],
  [{ prompt: "about you", form: true }, [{}, { age: -1 }, { age: "old" }, { timedOut: true }], { age: 36 }, { age: 36, name: "nobody" }],
])("a wrong answer to %o is refused, makes no run, and the question stays", async (question, wrong, right, heard) => {
  const { threadId } = await openQuestions(question);
  for (const resume of wrong) {
    expect(await answer(threadId, resume)).toMatchObject({ status: 422, detail: expect.stringMatching(/^command\.resume(\.age)?: \w/) });
  }
  expect(await client.runs.list(threadId)).toHaveLength(1);
  expect(await client.threads.get(threadId)).toMatchObject({ status: "interrupted" });
  expect(await answer(threadId, right)).toMatchObject({ status: 200, answers: { [question.prompt]: heard } });
});

test("each answer is checked against the schema of its question, and a single answer against all schemas", async () => {
  const { threadId, ids } = await openQuestions({ prompt: "colour", schema: colour }, { prompt: "age", schema: { type: "integer" } });
  const [ofColour = "", ofAge = ""] = ids;
  expect(await answer(threadId, { [ofColour]: "red", [ofAge]: "red" })).toMatchObject({
    status: 422,
    detail: expect.stringMatching(`^command.resume.${ofAge}: `),
  });
  expect(await answer(threadId, "red")).toMatchObject({ status: 422 });
  expect(await answer(threadId, { [ofColour]: "red", [ofAge]: 36 })).toMatchObject({ status: 200, answers: { colour: "red", age: 36 } });
});

test("a question without a schema, or with a schema that the service does not support, accepts any answer", async () => {
  const { threadId, ids } = await openQuestions({ prompt: "any" }, { prompt: "odd", schema: { type: "string", if: { const: "x" } } });
  const resume = Object.fromEntries(ids.map((id) => [id, { timedOut: true }]));
  expect(await answer(threadId, resume)).toMatchObject({ answers: { any: { timedOut: true }, odd: { timedOut: true } } });
});

test("an answer to a run that is still executing is accepted, because its questions are not known yet", async () => {
  const { threadId } = await openQuestions({ prompt: "colour", schema: colour });
  const run = (resume: string) => ({ assistant_id: "survey", thread_id: threadId, command: { resume } });
  const body = JSON.stringify([run("red"), run("green")]);
  const response = await fetch("/runs/batch", { method: "POST", body, headers: { "content-type": "application/json" } });
  expect(await response.json()).toMatchObject([{ thread_id: threadId }, { thread_id: threadId }]);
});
