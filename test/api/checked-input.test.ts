import { expect, test } from "vitest";
import { startTestService } from "../service.ts";

const { client, fetch, db } = await startTestService();
const { thread_id: threadId } = await client.threads.create();
const context = { language: "en" };

const post = async (path: string, body: unknown, method = "POST") => {
  const response = await fetch(path, { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } });
  const { detail, errors } = (await response.json()) as { detail?: string; errors?: unknown };
  return { status: response.status, detail, errors };
};
const refused = (field: string, message: string | RegExp) => ({
  status: 422,
  detail: expect.stringContaining(`${field}: `),
  errors: [{ field, message: expect.stringMatching(message) }],
});
const countRows = async () =>
  (
    await db.query(
      "select (select count(*) from runs) as runs, (select count(*) from threads) as threads, (select count(*) from assistants) as assistants",
    )
  ).rows[0];

const routes = [`/threads/${threadId}/runs`, "/runs"].flatMap((path) => [path, `${path}/stream`, `${path}/wait`]);

test.each(routes)("%s refuses an input and a context that the graph would refuse, and makes nothing", async (path) => {
  const before = await countRows();
  const run = { assistant_id: "form", input: { task: "dig" }, context };
  expect(await post(path, { ...run, input: { task: "  " } })).toEqual(refused("input.task", "Too small"));
  expect(await post(path, { ...run, input: { task: "x".repeat(1_000_001) } })).toEqual(refused("input.task", "Too big"));
  expect(await post(path, { ...run, input: { notes: 7 } })).toEqual(refused("input.notes", "expected string"));
  expect(await post(path, { ...run, context: {} })).toEqual(refused("context.language", "expected string"));
  expect(await post(path, { ...run, context: { ...context, roster: [{ name: "x" }, { name: "x" }] } })).toEqual(
    refused("context.roster[1].name", "there is another one of this name"),
  );
  expect(await post(path, { assistant_id: "plain-form", input: { task: "" } })).toEqual(refused("input.task", "Too small"));
  expect(await countRows()).toEqual(before);
});

test("a batch with one bad input creates no run, and the error names the input", async () => {
  const before = await countRows();
  const run = { assistant_id: "form", input: { task: "dig" }, context };
  expect(await post("/runs/batch", [run, { ...run, input: { task: "" } }])).toEqual(refused("[1].input.task", "Too small"));
  expect(await countRows()).toEqual(before);
});

test("of very many mistakes the first are named", async () => {
  const roster = Array.from({ length: 50_000 }, () => ({ name: 7 }));
  const { status, errors } = await post("/runs", { assistant_id: "form", input: { task: "dig" }, context: { ...context, roster } });
  expect(status).toBe(422);
  expect(errors).toHaveLength(20);
});

test("the assistant's context and the run's are judged together", async () => {
  const { assistant_id: assistantId } = await client.assistants.create({ graphId: "form", context });
  const input = { task: "dig" };
  expect(await client.runs.wait(null, assistantId, { input, context: { limit: 5 } })).toMatchObject({ notes: ["read dig"] });
  await expect(client.runs.wait(null, assistantId, { input, context: { limit: 0 } })).rejects.toThrow("context.limit: ");
  await expect(client.runs.wait(null, assistantId, { input, context: { language: 7 } })).rejects.toThrow("context.language: ");
});

test("an assistant may leave out what its runs bring along, but not hold what the graph refuses", async () => {
  const before = await countRows();
  expect(await post("/assistants", { graph_id: "form", context: { limit: -1 } })).toEqual(refused("context.limit", "Too small"));
  expect(await countRows()).toEqual(before);
  const { assistant_id: assistantId, version } = await client.assistants.create({ graphId: "form", context: { limit: 2 } });
  expect(await post(`/assistants/${assistantId}`, { context: { roster: [{ weight: 1 }] } }, "PATCH")).toEqual(
    refused("context.roster[0].name", "expected string"),
  );
  expect(await client.assistants.get(assistantId)).toMatchObject({ version, context: { limit: 2 } });
});

test("every input that LangGraph accepts is accepted: keys that the thread already has, no keys, and unknown keys", async () => {
  const { thread_id } = await client.threads.create();
  const run = (input: Record<string, unknown> | null) => client.runs.wait(thread_id, "form", { input, context });
  expect(await run({ task: " dig ", messages: [{ role: "user", content: "hello" }] })).toMatchObject({ task: "dig", notes: ["read dig"] });
  expect(await run({ notes: "a note" })).toMatchObject({ notes: ["read dig", "a note", "read dig"] });
  expect(await run({ task: "fill", unknown: 1 })).toMatchObject({ task: "fill", messages: [{ content: "hello" }] });
  expect(await client.runs.wait(thread_id, "form", { command: { goto: "read" }, context })).toMatchObject({ task: "fill" });
  await expect(client.runs.wait(null, "steps", { input: { log: 7, other: [] } })).resolves.toBeDefined();
});
