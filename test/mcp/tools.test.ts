import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { connectMcp, versions } from "./clients.ts";
import { resultOf } from "./raw.ts";

const { client: api, db, fetch, urls } = await startTestService();
const url = urls[0] ?? "";

test.each(versions)("the official client lists the assistants as tools (%s)", async (version) => {
  const { tools } = await (await connectMcp(url, version)).listTools();
  expect(tools.find(({ name }) => name === "staged")).toMatchObject({
    description: "Tells of three scenarios that it makes up.",
    inputSchema: { type: "object" },
  });
  expect(tools.find(({ name }) => name === "form")).toMatchObject({
    inputSchema: { properties: { task: { type: "string" }, messages: { type: "array", items: { required: ["role", "content"] } } } },
    outputSchema: { properties: { notes: { type: "array" } } },
  });
});

test.each(versions)("a call returns the output of a run (%s)", async (version) => {
  const client = await connectMcp(url, version);
  const result = await client.callTool({ name: "plain-form", arguments: { task: "read" } });
  expect(result).toMatchObject({
    content: [{ type: "text", text: JSON.stringify({ task: "read", done: true }) }],
    structuredContent: { task: "read", done: true },
  });
  expect(result.isError).toBeUndefined();
});

test.each(versions)("a run that fails is a result that says why (%s)", async (version) => {
  const client = await connectMcp(url, version);
  expect(await client.callTool({ name: "fails", arguments: {} })).toMatchObject({
    isError: true,
    content: [{ type: "text", text: "CustomError: Boo!" }],
  });
});

test.each(versions)("arguments that the graph's schema refuses are a result that names the field (%s)", async (version) => {
  const client = await connectMcp(url, version);
  expect(await client.callTool({ name: "plain-form", arguments: { task: 7 } })).toMatchObject({
    isError: true,
    content: [{ type: "text", text: "input.task: Invalid input: expected string, received number" }],
  });
});

test.each(versions)("an unknown tool is an error of the protocol (%s)", async (version) => {
  const client = await connectMcp(url, version);
  await expect(client.callTool({ name: "nobody", arguments: {} })).rejects.toMatchObject({
    code: -32602,
    message: expect.stringContaining("Unknown tool: nobody"),
  });
});

test("a call leaves no thread behind that clients can see", async () => {
  const client = await connectMcp(url, "2026-07-28");
  await client.callTool({ name: "plain-form", arguments: { task: "hidden" } });
  expect(await api.threads.search({ metadata: { mcp_tool: "plain-form" } })).toEqual([]);
});

test("the same call with the same Idempotency-Key starts one run", async () => {
  const headers = { "idempotency-key": crypto.randomUUID() };
  const call = () => resultOf(url, "tools/call", { name: "caching", arguments: {} }, { headers });
  expect(await call()).toEqual(await call());
  const { rows } = await db.query("select count(*)::integer as count from runs where metadata ->> 'mcp_tool' = 'caching'");
  expect(rows).toEqual([{ count: 1 }]);
});

test("assistants of the same name have different tools, and each call reaches its own assistant", async () => {
  const create = (note: string) => api.assistants.create({ graphId: "steps", name: "Read & tell", metadata: { note } });
  const [first, second] = [await create("first"), await create("second")];
  const client = await connectMcp(url, "2026-07-28");
  const { tools } = await client.listTools();
  const suffix = second.assistant_id.replaceAll("-", "").slice(-12);
  expect(tools.map(({ name }) => name).filter((name) => name.startsWith("Read"))).toEqual(["Read_tell", `Read_tell-${suffix}`]);

  await api.assistants.delete(first.assistant_id);
  const renamed = await (await connectMcp(url, "2026-07-28")).listTools();
  expect(renamed.tools.map(({ name }) => name).filter((name) => name.startsWith("Read"))).toEqual(["Read_tell"]);
  expect(await client.callTool({ name: `Read_tell-${suffix}`, arguments: {} })).not.toHaveProperty("isError");
});

test("an assistant without a usable name is called like its graph", async () => {
  await api.assistants.create({ graphId: "steps", name: "助手" });
  const { tools } = await (await connectMcp(url, "2026-07-28")).listTools();
  expect(tools.filter(({ title }) => title === "助手")).toMatchObject([{ name: expect.stringMatching(/^steps-[0-9a-f]{12}$/) }]);
});

test("a list of many tools has several pages", async () => {
  for (let index = 0; index < 120; index++) await api.assistants.create({ graphId: "steps", name: `many-${index}` });
  const { tools } = await (await connectMcp(url, "2026-07-28")).listTools();
  expect(tools.filter(({ name }) => /^many-\d+$/.test(name))).toHaveLength(120);
  expect(new Set(tools.map(({ name }) => name)).size).toBe(tools.length);
  const page = await post({ method: "tools/list", params: {} });
  expect(page.result).toMatchObject({ tools: { length: 100 }, nextCursor: expect.any(String) });
  expect((await post({ method: "tools/list", params: { cursor: "nonsense" } })).error).toMatchObject({ code: -32602 });
});

test("there are no sessions: GET and DELETE are not allowed", async () => {
  for (const method of ["GET", "DELETE"]) {
    const response = await fetch("/mcp", { method });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  }
});

async function post(message: object): Promise<{ result?: unknown; error?: unknown }> {
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const response = await fetch("/mcp", { method: "POST", headers, body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...message }) });
  const data = (await response.text()).split("\n").find((line) => line.startsWith("data: "));
  return JSON.parse(data?.slice("data: ".length) ?? "{}");
}
