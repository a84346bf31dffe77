import { request } from "node:http";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";
import { connectMcp, versions } from "./clients.ts";
import { resultOf, sendMcp } from "./raw.ts";

const graphs = { steps: `${import.meta.dirname}/../graphs/steps.ts:graph` };
const withAuth = fileURLToPath(new URL("../graphs/with-auth/langgraph.json", import.meta.url));
const { fetch: fetchGuarded, urls } = await startTestService({ ENSEMBLE_CONFIG: withAuth });
const url = urls[0] ?? "";
const as = (name: string) => ({ authorization: `Bearer ${name}` });

test.each(versions)("a client without credentials is refused with 401 (%s)", async (version) => {
  await expect(connectMcp(url, version)).rejects.toThrow();
  const refused = await sendMcp(url, "tools/list", {});
  expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, "Names"]);
});

test.each(versions)("a caller sees the tools that a search shows, and calls run as the caller (%s)", async (version) => {
  const { name } = await createAssistant("alice", `own ${version}`);
  const alices = await connectMcp(url, version, { headers: as("alice") });
  const bobs = await connectMcp(url, version, { headers: as("bob") });
  const namesOf = async (client: typeof alices) => (await client.listTools()).tools.map((tool) => tool.name);
  expect(await namesOf(alices)).toContain(name);
  expect(await namesOf(bobs)).not.toContain(name);
  await expect(bobs.callTool({ name, arguments: {} })).rejects.toMatchObject({ message: expect.stringContaining("Unknown tool") });
  expect(await alices.callTool({ name, arguments: {} })).toMatchObject({
    structuredContent: { who: { identity: "alice", knowsSecret: true } },
  });
  expect(await bobs.callTool({ name: "whoami", arguments: {} })).toMatchObject({ structuredContent: { who: { identity: "bob" } } });
});

async function createAssistant(user: string, name: string): Promise<{ name: string }> {
  const body = JSON.stringify({ graph_id: "whoami", name });
  await fetchGuarded("/assistants", { method: "POST", headers: { ...as(user), "content-type": "application/json" }, body });
  return { name: name.replaceAll(" ", "_") };
}

test("a graph that cannot be made without a user is a tool that takes any object", async () => {
  const client = await connectMcp(url, "2026-07-28", { headers: as("admin") });
  const { tools } = await client.listTools();
  expect(tools.find(({ name }) => name === "made-for-user")).toMatchObject({ inputSchema: { type: "object" } });
});

test("another user's questions and tasks are as if they did not exist", async () => {
  const question = await resultOf<{ requestState: string; inputRequests: object }>(
    url,
    "tools/call",
    { name: "review", arguments: { topic: "x" } },
    { headers: as("alice") },
  );
  const [taskId = ""] = question.requestState.split(".");
  const [key = ""] = Object.keys(question.inputRequests);
  const inputResponses = { [key]: { action: "accept", content: { answer: '{"approved": true}' } } };
  const stolen = { name: "review", arguments: {}, requestState: question.requestState, inputResponses };
  await expect(resultOf(url, "tools/call", stolen, { headers: as("bob") })).rejects.toThrow("Invalid or expired requestState");
  for (const method of ["tasks/get", "tasks/cancel", "tasks/update"])
    await expect(resultOf(url, method, { taskId, inputResponses }, { headers: as("bob") })).rejects.toThrow("Unknown task");
  expect(await resultOf(url, "tools/call", stolen, { headers: as("alice") })).toMatchObject({ structuredContent: { published: "On x" } });
});

test("pages of other origins and unknown host names are refused without auth", async () => {
  const { urls: open } = await startTestService();
  expect((await sendMcp(open[0] ?? "", "tools/list", {}, { headers: { origin: "https://evil.example" } })).status).toBe(403);
  expect(await statusFor(open[0] ?? "", "evil.example")).toBe(403);
  expect((await sendMcp(open[0] ?? "", "tools/list", {}, { headers: { origin: "http://localhost:3000" } })).status).toBe(200);
});

/** Sends a request with this Host header, which `fetch` would not send. */
function statusFor(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const call = request(`${url}/mcp`, { method: "POST", headers: { host, "content-type": "application/json" } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    call.on("error", reject);
    call.end(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }));
  });
}

test("http.disable_mcp turns the endpoint off", async () => {
  const project = await makeProject({ "langgraph.json": { graphs, http: { disable_mcp: true } } });
  const { fetch } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
  expect((await fetch("/mcp", { method: "POST", body: "{}" })).status).toBe(404);
});

test("the endpoint is below http.mount_prefix", async () => {
  const project = await makeProject({ "langgraph.json": { graphs, http: { mount_prefix: "/api" } } });
  const { urls: mounted } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
  const client = await connectMcp(mounted[0] ?? "", "2026-07-28");
  expect((await client.listTools()).tools).toMatchObject([{ name: "steps" }]);
});
