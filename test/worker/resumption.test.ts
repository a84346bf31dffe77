import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { createDatabase } from "../database.ts";
import { clientFor, startProcess, startTestService } from "../service.ts";

const { client, db } = await startTestService();
const folder = mkdtempSync(join(tmpdir(), "ensemble-versions-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Makes a run look as if its worker had died after the last checkpoint, before it could end the run. */
async function forgetEnd(runId: string, on: { query: (text: string, values: string[]) => Promise<unknown> } = db): Promise<void> {
  await on.query("update runs set status = 'pending', ended_at = null, events_until = null, output = null where run_id = $1", [runId]);
}

test.each([
  ["before", { interruptBefore: ["two"] }, ["one"]],
  ["after", { interruptAfter: ["two"] }, ["one", "two"]],
])("a run that had come to its stop %s a node is not taken past it by another attempt", async (_when, stop, log) => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "steps", { input: {}, ...stop } as object);
  const [run] = await client.runs.list(threadId);
  await forgetEnd(run!.run_id);
  expect(await client.runs.join(threadId, run!.run_id)).toEqual({ __interrupt__: [] });
  expect(await client.threads.get(threadId)).toMatchObject({ status: "interrupted", values: { log } });
  expect(await client.runs.wait(threadId, "steps", { input: null })).toMatchObject({ log: ["one", "two", "three"] });
});

test.each([
  ["a node of another graph was due", "steps", { interruptBefore: ["two"] }],
  ["a node of another graph was sent something", "survey", { input: { questions: [{ ask: "a?" }] }, interruptBefore: ["ask"] }],
])("a run with its own input goes on after a crash on a thread where %s", async (_what, other, stop) => {
  for (const kept of ["its input alone", "everything"]) {
    const { thread_id: threadId } = await client.threads.create();
    await client.runs.wait(threadId, other, { input: {}, ...stop } as object);
    await client.runs.wait(threadId, "slow", { input: { until: 2, tickMs: 1 } });
    const [run] = await client.runs.list(threadId);
    if (kept === "its input alone")
      await db.query("delete from checkpoints where run_id = $1 and metadata ->> 'source' <> 'input'", [run?.run_id]);
    await forgetEnd(run?.run_id ?? "");
    expect(await client.runs.join(threadId, run?.run_id ?? "")).toMatchObject({ ticks: 2 });
    expect(await client.runs.get(threadId, run?.run_id ?? "")).toMatchObject({ status: "success" });
  }
});

const graphFile = (nodes: string[]) => `
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
const State = Annotation.Root({ log: Annotation({ reducer: (a, b) => a.concat(b), default: () => [] }) });
let builder = new StateGraph(State);
const nodes = ${JSON.stringify(nodes)};
for (const name of nodes) builder = builder.addNode(name, () => ({ log: [name] }));
builder.addEdge(START, nodes[0]);
nodes.forEach((name, index) => builder.addEdge(name, nodes[index + 1] ?? END));
export const graph = builder.compile();
`;

async function serviceWith(nodes: string[], databaseUrl: string, env: Record<string, string> = {}) {
  const project = join(folder, crypto.randomUUID());
  mkdirSync(project);
  writeFileSync(join(project, "graph.mjs"), graphFile(nodes));
  writeFileSync(
    join(project, "langgraph.json"),
    JSON.stringify({ graphs: { changing: { path: "./graph.mjs:graph", version: nodes.join("-") } } }),
  );
  const service = await startProcess({ ENSEMBLE_CONFIG: join(project, "langgraph.json"), DATABASE_URL: databaseUrl, PORT: "0", ...env });
  return { ...service, client: clientFor([service.url ?? ""]).client };
}

test("a thread that stopped before a node which is gone says which, and goes on when it is back", async () => {
  const databaseUrl = await createDatabase();
  const threadId = crypto.randomUUID();
  const old = await serviceWith(["plan", "review", "publish"], databaseUrl);
  await old.client.runs.wait(threadId, "changing", { input: { log: [] }, interruptBefore: ["review"], ifNotExists: "create" });
  await old.stop();

  const without = await serviceWith(["plan", "publish"], databaseUrl);
  const going = without.client.runs.wait(threadId, "changing", { input: null });
  await expect(going).rejects.toThrow('GraphChangedError: The thread stopped before "review", which graph "changing" no longer has.');
  expect(await without.client.threads.get(threadId)).toMatchObject({ status: "error", values: { log: ["plan"] } });
  await without.stop();

  const refusing = await serviceWith(["plan", "review", "approve", "publish"], databaseUrl, { ENSEMBLE_ON_GRAPH_CHANGE: "refuse" });
  await expect(refusing.client.runs.wait(threadId, "changing", { input: null })).rejects.toThrow(
    /written by version plan-review-publish\+\w+ of the graph/,
  );
  await refusing.stop();

  const back = await serviceWith(["plan", "review", "approve", "publish"], databaseUrl);
  expect(await back.client.runs.wait(threadId, "changing", { input: null })).toEqual({ log: ["plan", "review", "approve", "publish"] });
  const [newest] = await back.client.threads.getHistory(threadId, { limit: 1 });
  expect(newest?.metadata).toMatchObject({ graph_version: expect.stringMatching(/^plan-review-approve-publish\+/) });
  await back.stop();
});

test("a node that is gone does not hold up a run with its own input, nor what goes on from there", async () => {
  const databaseUrl = await createDatabase();
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  const threadId = crypto.randomUUID();
  const old = await serviceWith(["plan", "review", "publish"], databaseUrl);
  await old.client.runs.wait(threadId, "changing", { input: { log: [] }, interruptBefore: ["review"], ifNotExists: "create" });
  await old.stop();

  const { client, stop } = await serviceWith(["plan", "publish"], databaseUrl);
  await client.runs.wait(threadId, "changing", { input: { log: ["again"] }, interruptBefore: ["publish"] });
  const [run] = await client.runs.list(threadId);
  await forgetEnd(run?.run_id ?? "", pool);
  expect(await client.runs.join(threadId, run?.run_id ?? "")).toEqual({ __interrupt__: [] });
  expect(await client.threads.get(threadId)).toMatchObject({ status: "interrupted", values: { log: ["plan", "again", "plan"] } });
  expect(await client.runs.wait(threadId, "changing", { input: null })).toEqual({ log: ["plan", "again", "plan", "publish"] });
  await stop();
  await pool.end();
});
