import { expect, test } from "vitest";
import { startTestService } from "../service.ts";

const { client, fetch } = await startTestService({ LANGGRAPH_CONFIG: '{"mirror":{"context":{"tone":"kind"},"configurable":{"size":3}}}' });
const stepsAssistant = "8f0eee1d-3d3b-5a3a-9c3e-000000000000";

test("every graph has an assistant of its own, found by graph id or by its fixed id", async () => {
  const byName = await client.assistants.get("steps");
  expect(byName).toMatchObject({ name: "steps", graph_id: "steps", version: 1, metadata: { created_by: "system" } });
  expect(await client.assistants.get(byName.assistant_id)).toEqual(byName);
  await expect(client.assistants.get("no-such-graph")).rejects.toThrow("HTTP 404: Assistant not found");
  await expect(client.assistants.get(stepsAssistant)).rejects.toThrow("HTTP 404: Assistant not found");
});

test("the defaults of LANGGRAPH_CONFIG reach the graph", async () => {
  const { seen } = (await client.runs.wait(null, "mirror", { input: {} })) as { seen: Record<string, unknown> };
  expect(seen).toMatchObject({ context: { tone: "kind" }, configurable: { size: 3 } });
});

test("an assistant is made, found, versioned, set back and deleted", async () => {
  const made = await client.assistants.create({
    graphId: "mirror",
    name: "First Name",
    config: { configurable: { a: 1 } },
    metadata: { team: "x" },
  });
  expect(made).toMatchObject({ version: 1, name: "First Name", description: null, context: {} });
  expect(await client.assistants.search({ metadata: { team: "x" }, name: "first" })).toMatchObject([{ assistant_id: made.assistant_id }]);
  expect(await client.assistants.count({ metadata: { team: "x" } })).toBe(1);

  const changed = await client.assistants.update(made.assistant_id, {
    config: { configurable: { b: 2 } },
    metadata: { more: 1 },
    name: "Second",
  });
  expect(changed).toMatchObject({ version: 2, name: "Second", config: { configurable: { b: 2 } }, metadata: { team: "x", more: 1 } });
  expect((await client.assistants.getVersions(made.assistant_id)).map(({ version }) => version)).toEqual([2, 1]);

  const back = await client.assistants.setLatest(made.assistant_id, 1);
  expect(back).toMatchObject({ version: 1, name: "First Name", config: { configurable: { a: 1 } } });
  expect((await client.assistants.update(made.assistant_id, { name: "Third" })).version).toBe(3);

  await client.assistants.delete(made.assistant_id);
  await expect(client.assistants.getVersions(made.assistant_id)).rejects.toThrow("HTTP 404");
});

test("simultaneous updates of an assistant become consecutive versions or are refused", async () => {
  const { assistant_id: id } = await client.assistants.create({ graphId: "steps" });
  const results = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => client.assistants.update(id, { name: `n${n}` })));
  const done = results.filter(({ status }) => status === "fulfilled").length;
  expect(done).toBeGreaterThanOrEqual(1);
  expect(await client.assistants.getVersions(id, { limit: 20 })).toHaveLength(done + 1);
  for (const result of results) if (result.status === "rejected") expect(String(result.reason)).toContain("HTTP 409");
});

test("a new assistant with an existing id is refused or returns the existing one, and an unknown graph is refused", async () => {
  const assistantId = crypto.randomUUID();
  await client.assistants.create({ graphId: "steps", assistantId, name: "mine" });
  await expect(client.assistants.create({ graphId: "steps", assistantId })).rejects.toThrow("HTTP 409: Assistant already exists");
  expect(await client.assistants.create({ graphId: "steps", assistantId, ifExists: "do_nothing", name: "other" })).toMatchObject({
    name: "mine",
  });
  await expect(client.assistants.create({ graphId: "nope" })).rejects.toThrow('HTTP 404: Graph "nope" not found');
});

test("pages carry the total and the next offset", async () => {
  const response = await fetch("/assistants/search", {
    method: "POST",
    body: '{"limit":2,"sort_by":"graph_id","sort_order":"asc","select":["graph_id"]}',
  });
  expect(await response.json()).toEqual([{ graph_id: "agent" }, { graph_id: "agent-inside" }]);
  expect(response.headers.get("x-pagination-next")).toBe("2");
  expect(Number(response.headers.get("x-pagination-total"))).toBeGreaterThan(10);
});

test("a graph can be drawn, with its subgraphs opened up", async () => {
  const plain = await client.assistants.getGraph("nested");
  expect(plain.nodes.map(({ id }) => id)).toEqual(["__start__", "greet", "child", "__end__"]);
  const opened = await client.assistants.getGraph("nested", { xray: true });
  expect(opened.nodes.map(({ id }) => id)).toContain("child:shout");
});

test("a graph's schemas say what its code declares", async () => {
  const schemas = await client.assistants.getSchemas("described");
  expect(schemas.input_schema).toMatchObject({ properties: { city: { type: "string", description: "Where it is" } } });
  expect(schemas.context_schema).toMatchObject({ properties: { language: { default: "en", description: "Language of the answer" } } });
  expect(await client.assistants.getSchemas("steps")).toMatchObject({ graph_id: "steps", input_schema: {} });
});

test("subgraphs are listed by namespace", async () => {
  const subgraphs = await client.assistants.getSubgraphs("nested", { recurse: true });
  expect(Object.keys(subgraphs)).toEqual(["child"]);
  expect(subgraphs.child).toMatchObject({ graph_id: "nested" });
  expect(await client.assistants.getSubgraphs("nested", { namespace: "child" })).toHaveProperty("child");
});

test("deleting an assistant can take its threads along", async () => {
  const { assistant_id: id } = await client.assistants.create({ graphId: "steps" });
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, id, { input: {} });
  await client.assistants.delete(id, { deleteThreads: true });
  await expect(client.threads.get(threadId)).rejects.toThrow("HTTP 404");
});
