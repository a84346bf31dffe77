import { fileURLToPath } from "node:url";
import { HumanMessage } from "@langchain/core/messages";
import { beforeEach, expect, test, vi } from "vitest";
import { agent, fanOut, react } from "../../graphs/index.ts";
import { ensureResources } from "../../src/resources/resources.ts";
import { makeProject } from "../command.ts";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";

const model = await startModelServer();
const endpoint = { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: "test" };
for (const [name, value] of Object.entries(endpoint)) vi.stubEnv(name, value);
const graphs = Object.fromEntries(
  ["fan-out", "pipeline"].map((name) => [name, fileURLToPath(new URL(`../../graphs/${name}.ts:graph`, import.meta.url))]),
);
const resources = { db: { pool: 2 }, openai: { rate: "5/d" } };
const project = await makeProject({
  "langgraph.json": { graphs, ensemble: { resources, agents: "./agents.yaml" } },
  "agents.yaml": "- { name: late, role: a helper, needs: { nothing: 1 } }",
});
const { client, db, fetch } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json`, ...endpoint });

/** How many model calls run at once, the most that did, and how many the first calls wait for. */
let [atOnce, most, expected] = [0, 0, 1];
beforeEach(() => {
  model.script();
  [atOnce, most, expected] = [0, 0, 1];
  model.respond(async (messages) => {
    most = Math.max(most, ++atOnce);
    await vi.waitUntil(() => most >= expected, { timeout: 30_000, interval: 5 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    atOnce--;
    return { tokens: [`said ${/do (\w+)/.exec(messages)?.[1]}`] };
  });
});

interface Outputs {
  metrics: { contentions: number; waitMs: { max: number } };
  ledger: { waitedMs?: number }[];
  outputs: Record<string, { success: boolean; output: unknown; error: string | null }>;
}

const tasks = (more: object) => ["a", "b", "c", "d", "e"].map((name) => ({ name, do: { task: `do ${name}`, ...more }, required: false }));
const run = async (work: object, context: object = {}) => {
  const input = { task: "t", tasks: tasks(work) };
  return (await client.runs.wait(null, "fan-out", {
    input,
    context: { merge: "byName", onFailures: "partial", ...context },
  } as object)) as unknown as Outputs;
};
const isFree = async () => ((await (await fetch("/resources")).json()) as { held: number }[]).every(({ held }) => held === 0);
const helper = { name: "helper", role: "a helper" };

test("agents with needs work only while they have their resources", async () => {
  expected = 2;
  const agents = [{ ...helper, needs: { db: 1 } }];
  const { outputs, metrics, ledger } = await run({ agent: "helper" }, { agents, limits: { stageMs: 0 } });
  const waits = ledger.flatMap(({ waitedMs }) => waitedMs ?? []);
  expect(metrics.contentions).toBe(waits.length);
  expect(metrics.waitMs.max).toBeGreaterThanOrEqual(Math.max(0, ...waits));
  expect(Object.values(outputs).map(({ output }) => output)).toEqual(["said a", "said b", "said c", "said d", "said e"]);
  expect(most).toBe(2);
  expect(await isFree()).toBe(true);
});

test("steps with needs work only while they have their resources", async () => {
  const { outputs } = await run({ needs: { db: 2 } }, { limits: { stageMs: 0 } });
  expect(Object.values(outputs).every(({ success }) => success)).toBe(true);
  expect(most).toBe(1);
  expect(await isFree()).toBe(true);
});

test.each([
  ["an agent of the project", { agent: "late" }, {}, 'There is no resource "nothing". There are "db", "openai".'],
  ["an agent", { agent: "helper" }, { agents: [{ ...helper, needs: { db: 3 } }] }, 'No run can get 3 of "db", because its capacity is 2.'],
])("%s that can never have its resources fails at once, and says why", async (_, work, context, sentence) => {
  const { outputs } = await run(work, context);
  expect(outputs.a).toMatchObject({ success: false, error: expect.stringContaining(sentence) });
  expect(model.requests).toEqual([]);
});

const unknown = 'There is no resource "nothing". There are "db", "openai". Add it to ensemble.resources in langgraph.json.';
const stepOf = (needs: object) => ({ task: "t", tasks: [{ name: "a", do: { task: "x", needs } }] });
const refusal = { status: 422, message: expect.stringContaining("There is no resource") };

test("a run that needs an unknown resource is refused, with the path, the name and the resources that exist", async () => {
  const { thread_id } = await client.threads.create();
  const post = async (path: string, body: object) => {
    const response = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    return { status: response.status, answer: await response.json() };
  };
  const ofStep = { assistant_id: "fan-out", input: stepOf({ db: 1, nothing: 1 }) };
  const ofAgent = { assistant_id: "fan-out", input: { task: "t" }, context: { agents: [{ ...helper, needs: { nothing: 1 } }] } };
  const inStep = { status: 422, answer: { errors: [{ field: "input.tasks[0].do.needs.nothing", message: unknown }] } };
  const inAgent = { status: 422, answer: { errors: [{ field: "context.agents[0].needs.nothing", message: unknown }] } };
  for (const path of ["/runs", "/runs/wait", "/runs/stream", `/threads/${thread_id}/runs`, `/threads/${thread_id}/runs/stream`]) {
    expect(await post(path, ofStep)).toMatchObject(inStep);
    expect(await post(path, ofAgent)).toMatchObject(inAgent);
  }
  const isIn = (index: number) => ({ status: 422, answer: { errors: [{ field: expect.stringMatching(`^\\[${index}\\]`) }] } });
  expect(await post("/runs/batch", [{ assistant_id: "fan-out", input: stepOf({ db: 1 }) }, ofStep])).toMatchObject(isIn(1));
  expect(await post("/runs/crons", { ...ofStep, schedule: "0 0 1 1 *" })).toMatchObject(inStep);
  expect(await client.runs.list(thread_id)).toEqual([]);
  expect(model.requests).toEqual([]);
});

test("an assistant may need a resource that does not exist yet, but its runs are refused", async () => {
  const context = { agents: [{ ...helper, needs: { nothing: 1 } }] };
  const { assistant_id } = await client.assistants.create({ graphId: "fan-out", context });
  await expect(client.runs.create(null, assistant_id, { input: { task: "t" } })).rejects.toMatchObject(refusal);
  await ensureResources(db, { nothing: { pool: 1 } });
  await client.runs.wait(null, assistant_id, { input: stepOf({ nothing: 1 }) });
  expect((await fetch("/resources/nothing", { method: "DELETE" })).status).toBe(204);
  await expect(client.runs.create(null, assistant_id, { input: { task: "t" } })).rejects.toMatchObject(refusal);
});

test("a run whose resource is deleted before its step begins fails in that step", async () => {
  await ensureResources(db, { passing: { pool: 1 } });
  const { thread_id } = await client.threads.create();
  const input = { task: "t", tasks: [{ name: "a", do: { task: "x", needs: { passing: 1 } }, required: false }] };
  const options = { input, context: { merge: "byName", onFailures: "partial" }, afterSeconds: 3_600 } as object;
  const { run_id } = await client.runs.create(thread_id, "fan-out", options);
  await fetch("/resources/passing", { method: "DELETE" });
  await db.query("update runs set run_at = now() where run_id = $1", [run_id]);
  const { outputs } = (await client.runs.join(thread_id, run_id)) as unknown as Outputs;
  expect(outputs.a).toMatchObject({ success: false, error: expect.stringContaining('There is no resource "passing".') });
});

test.each([
  [{ tasks: [{ name: "a", do: { task: "x", needs: { db: 0 } } }] }, {}, "needs.db"],
  [{ tasks: [{ name: "a", do: { task: "x", needs: { db: 0.5 } } }] }, {}, "needs.db"],
  [{ tasks: [{ name: "a", do: { task: "x", needs: "db" } }] }, {}, "needs"],
  [{}, { agents: [{ ...helper, needs: { db: -1 } }] }, "needs.db"],
  [{ tasks: [{ name: "a", do: { task: "x", needsWaitSeconds: 5 } }] }, {}, "this needs `needs`"],
  [{ tasks: [{ name: "a", do: { task: "x", needs: { db: 1 }, needsWaitSeconds: -1 } }] }, {}, "needsWaitSeconds"],
])("needs that make no sense are refused before the run begins (%j %j)", async (input, context, path) => {
  await expect(client.runs.wait(null, "fan-out", { input: { task: "t", ...input }, context } as object)).rejects.toThrow(path);
});

test("agents and steps say how long they wait for their resources", async () => {
  const requests: object[] = [];
  const use = (request: object, work: () => Promise<unknown>) => {
    requests.push(request);
    return work();
  };
  const graph = fanOut({ merge: "byName", agents: [agent({ ...helper, needs: { db: 1 }, needsWaitSeconds: 7 })] });
  const does = [
    { task: "do a", needs: { openai: 2 }, needsWaitSeconds: 5 },
    { task: "do b", agent: "helper" },
    { task: "do c", needs: { db: 1 } },
  ];
  const input = { messages: [new HumanMessage("t")], tasks: does.map((work, index) => ({ name: `${index}`, do: work })) };
  await graph.invoke(input as never, { context: {}, configurable: { __ensemble_resources: { use } } } as never);
  expect(requests).toHaveLength(3);
  expect(requests).toEqual(
    expect.arrayContaining([
      { needs: [["openai", 2]], waitSeconds: 5 },
      { needs: [["db", 1]], waitSeconds: 7 },
      { needs: [["db", 1]], waitSeconds: undefined },
    ]),
  );
});

test("outside the service there are no limits", async () => {
  const graph = fanOut({ merge: "byName" });
  const input = { messages: [new HumanMessage("t")], tasks: tasks({ needs: { nothing: 1 } }) };
  const { outputs } = (await graph.invoke(input as never)) as unknown as Outputs;
  expect(Object.values(outputs).every(({ success }) => success)).toBe(true);
});

test("the agent of react takes no needs, because it is the whole run", () => {
  expect(() => react({ needs: { db: 1 } })).toThrow("Use withResources in its tools");
  expect(agent({ ...helper, needs: { db: 1 } }).needs).toEqual({ db: 1 });
});
