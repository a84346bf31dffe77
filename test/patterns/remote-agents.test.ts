import { beforeEach, expect, test, vi } from "vitest";
import { startModelServer } from "../model-server.ts";
import { startRemoteAgents } from "../remote-agent.ts";
import { startTestService } from "../service.ts";

const model = await startModelServer();
const remote = await startRemoteAgents();
const settings = { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: "test", ARCHIVE_TOKEN: "s3cret" };
for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
const at = (path: string) => ({ url: `http://127.0.0.1:${remote.port}/${path}`, token: "ARCHIVE_TOKEN" });
const kinds = ["plain", "streaming", "newer", "newer-streaming"];
const wrong = ["locked", "moved", "garbled", "nameless", "elsewhere", "grpc", "nowhere"];
const a2a = Object.fromEntries([...kinds, ...wrong].map((name) => [name, at(name)]));
const config = remote.project({ ...a2a, gone: { url: "http://127.0.0.1:9/" } });
const { client } = await startTestService({ ENSEMBLE_CONFIG: config, ...settings });

beforeEach(() => {
  for (const list of [remote.received, remote.cancelled, remote.tokens]) list.length = 0;
  delete remote.state.held;
});

interface React {
  steps: { action: string; observation: string }[];
}
const input = { messages: [{ role: "user", content: "Do it" }] };
const call = (agent: string, task: string, more: object = {}) => ({
  toolCall: { id: `call_${crypto.randomUUID().slice(0, 8)}`, name: `a2a__${agent}`, args: { task, ...more } },
});
const run = (...tools: string[]) =>
  client.runs.wait(null, "react", { input, context: { tools: tools.map((name) => `a2a:${name}`) } }) as Promise<unknown> as Promise<React>;
/** Lets the model call remote agents, one after another, and returns what it saw of each. */
async function observe(...calls: [agent: string, task: string][]): Promise<string[]> {
  model.script(...calls.map(([agent, task]) => call(agent, task)), { tokens: ["Done."] });
  return (await run(...new Set(calls.map(([agent]) => agent)))).steps.map(({ observation }) => observation);
}

test.each(kinds)("an agent gives a task to the remote agent %s, with the token of the service", async (kind) => {
  expect(await observe([kind, "find it"], [kind, "direct please"])).toEqual(["FIND IT", "at once"]);
  expect(model.requests[0]?.tools).toMatchObject([
    {
      function: {
        name: `a2a__${kind}`,
        description: expect.stringContaining("Archive: Knows the archive. Skills: find (finds documents)"),
      },
    },
  ]);
  expect(remote.received.map(({ text }) => text)).toEqual(["find it", "direct please"]);
  expect(new Set(remote.received.map(({ messageId }) => messageId)).size).toBe(2);
  expect(remote.tokens.every(({ token }) => token === "Bearer s3cret")).toBe(true);
});

test("a context can only name remote agents of the project", async () => {
  await expect(run("http://127.0.0.1:9")).rejects.toThrow('context.tools[0]: there is no tool \\"a2a:http://127.0.0.1:9\\"; there are');
  await expect(run("other")).rejects.toThrow("a2a:plain, a2a:streaming");
});

test("a remote agent that cannot be used is an observation", async () => {
  const seen = await observe(...[...wrong, "gone"].map((name): [string, string] => [name, "find it"]));
  const because = (name: string, reason: string) => expect.stringMatching(`^Error: The remote agent "${name}" cannot be used: .*${reason}`);
  expect(seen).toEqual([
    because("locked", "answers 401: the token or the headers are refused"),
    because("moved", "redirects to .*/stolen/card. Redirects are not followed"),
    because("garbled", "does not answer with JSON"),
    because("nameless", "its card is wrong: .*name"),
    because("elsewhere", "names the endpoint http://localhost:9/rpc, which is on another host"),
    because("grpc", "its card offers no JSON-RPC interface"),
    because("nowhere", "answers 404"),
    because("gone", "cannot be reached"),
  ]);
  expect(remote.tokens.filter(({ path }) => path.includes("stolen"))).toEqual([]);
  expect(remote.received).toEqual([]);
});

test.each(kinds)("a task of %s that fails or needs an authorization is an observation", async (kind) => {
  expect(await observe([kind, "fail now"], [kind, "login first"])).toEqual([
    "Error: The agent's task is failed: no data",
    "Error: The agent needs an authorization that it does not have",
  ]);
});

test.each(kinds)("the model sees what %s asks, and its reply continues the same task", async (kind) => {
  let asked = "";
  model.respond((messages) => {
    if (messages.includes("IN 1999")) return { tokens: ["Done."] };
    asked = /\\"continues\\": \\"([\w-]+)\\"/.exec(messages)?.[1] ?? "";
    return asked ? call(kind, "in 1999", { continues: asked }) : call(kind, "ask me");
  });
  const { steps } = await run(kind);
  expect(steps.map(({ observation }) => observation)).toEqual([
    expect.stringMatching(/^The agent needs a reply before it can go on: Which year\?/),
    "IN 1999",
  ]);
  expect(remote.received).toMatchObject([{ text: "ask me" }, { text: "in 1999", taskId: asked }]);
});

test("a long answer is cut with a note, and the store has the whole", async () => {
  const [seen = ""] = await observe(["plain", "long text"]);
  expect(seen).toMatch(/^x{8000}\n\[Cut here: 8000 of 250000 characters are shown\. The store has the whole as tool-results\//);
});

test("if a stream breaks, the result is asked for, and the message is not sent again", async () => {
  expect(await observe(["streaming", "drop it"])).toEqual(["DROP IT"]);
  expect(remote.received).toHaveLength(1);
});

test("a step whose time is up cancels the task of the remote agent", async () => {
  const stages = [{ name: "search", do: { tool: "a2a:plain", args: { task: "wait for it" } }, timeoutSeconds: 1, retries: 0 }];
  const { results } = (await client.runs.wait(null, "pipeline", { input: { task: "Search", stages } })) as { results?: unknown };
  expect(JSON.stringify(results)).toContain("Not done within 1 s.");
  await expect.poll(() => remote.cancelled).toHaveLength(1);
});

async function cancelWhen(received: () => boolean, kind: string): Promise<void> {
  model.script(call(kind, "wait for it"), { tokens: ["never"] });
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "react", { input, context: { tools: [`a2a:${kind}`] } });
  await expect.poll(received).toBe(true);
  await client.runs.cancel(threadId, runId, true);
}

test.each(kinds)("a cancel of the run reaches the task of %s", async (kind) => {
  await cancelWhen(() => remote.received.length === 1, kind);
  await expect.poll(() => remote.cancelled).toHaveLength(1);
});

test("a cancel before the remote agent has answered cancels the task as soon as it is known", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  remote.state.held = promise;
  await cancelWhen(() => remote.received.length === 1, "plain");
  expect(remote.cancelled).toEqual([]);
  resolve();
  await expect.poll(() => remote.cancelled).toHaveLength(1);
});

test("a service whose token is not set does not start", async () => {
  const { port } = remote;
  const other = remote.project({ archive: { url: `http://127.0.0.1:${port}/plain`, token: "NO_SUCH_TOKEN" } });
  await expect(startTestService({ ENSEMBLE_CONFIG: other, ...settings })).rejects.toThrow(
    "ensemble.a2a.archive needs the variable NO_SUCH_TOKEN, which is not set.",
  );
});

test("an agent gives a task to an agent of a service like this one, over A2A", async () => {
  const other = await startTestService(settings);
  const { assistant_id: talker } = await other.client.assistants.create({
    graphId: "agent",
    name: "Talker",
    config: { configurable: { base_url: model.baseUrl } },
  });
  const at = (path: string) => ({ url: `${other.urls[0]}/a2a/${path}` });
  const project = remote.project({ talker: at(talker) });
  const { client } = await startTestService({ ENSEMBLE_CONFIG: project, ...settings });
  model.script(call("talker", "Say hello"), { tokens: ["hello ", "there"] }, { tokens: ["Done."] });
  const { steps } = (await client.runs.wait(null, "react", { input, context: { tools: ["a2a:talker"] } })) as unknown as React;
  expect(steps.map(({ observation }) => observation)).toEqual(["hello there"]);
});
