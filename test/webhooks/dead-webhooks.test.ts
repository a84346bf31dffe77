import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { until } from "../command.ts";
import { lettersAt } from "../dead-letters.ts";
import { startReceiver } from "../receiver.ts";
import { startTestService } from "../service.ts";

const { url, at } = await startReceiver((response) => response.end());
const service = await startTestService({ ENSEMBLE_WEBHOOK_INSIDE_HOSTS: "127.0.0.1" });
const { client, fetch, db } = service;
const letters = lettersAt(service);

/** Runs a graph whose webhook then is dead. Returns the id of the run. */
async function dead(path: string): Promise<string> {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "steps", { input: {}, webhook: `${url}${path}` });
  await client.runs.join(threadId, run.run_id);
  await until(async () => (await db.query("select from webhooks where run_id = $1 and status = 'delivered'", [run.run_id])).rowCount === 1);
  const document = JSON.stringify({
    run_id: run.run_id,
    created_at: "",
    updated_at: "",
    run_started_at: "",
    run_ended_at: "",
    error: null,
  });
  await db.query(
    "update webhooks set status = 'dead', settled_at = now(), error = 'The receiver answers 500.', run = $2 where run_id = $1",
    [run.run_id, document],
  );
  return run.run_id;
}

const listed = async () => ((await (await fetch("/webhooks/dead?limit=1000")).json()) as { run_id: string }[]).map(({ run_id }) => run_id);

test("a dead webhook is a dead letter with the id of its run, and the webhooks table stays the truth", async () => {
  const runId = await dead("/one");
  expect((await letters.list("&kind=webhook&graph=steps")).find(({ id }) => id === runId)).toMatchObject({
    ...{ kind: "webhook", run_id: runId, state: "dead", item: `${url}/one`, graph_id: "steps" },
    error: { type: "WebhookError", message: "The receiver answers 500." },
  });
  expect((await letters.get(runId)).payload).toMatchObject({ run_id: runId });
  expect((await db.query("select from dead_letters")).rowCount).toBe(0);
});

test("a redriven webhook is sent again, and is a redriven letter once it has arrived", async () => {
  const runId = await dead("/two");
  expect(await letters.redrive({ ids: [runId] })).toEqual([runId]);
  await until(() => at("/two").length === 2);
  await until(async () => (await letters.get(runId)).state === "redriven");
  expect(await listed()).not.toContain(runId);
});

test("a filter redrives webhooks too, and an edit does not", async () => {
  const runId = await dead("/three");
  await letters.redrive({ filter: { graph: "steps" }, edit: {} });
  expect((await letters.get(runId)).state).toBe("dead");
  const refused = await letters.send("POST", "/dead-letters/redrive", { filter: { kind: "webhook" }, edit: {} });
  expect(refused.status).toBe(422);
  expect(await letters.redrive({ filter: { kind: "webhook", graph: "none" } })).toEqual([]);
  expect(await letters.redrive({ filter: { kind: "webhook", graph: "steps" } })).toContain(runId);
});

test("a discarded webhook is listed and sent nowhere any more", async () => {
  const runId = await dead("/four");
  expect(await listed()).toContain(runId);
  expect(await letters.discard({ ids: [runId] })).toEqual([runId]);
  expect((await letters.get(runId)).state).toBe("discarded");
  expect(await listed()).not.toContain(runId);
  const body = JSON.stringify({ run_ids: [runId] });
  const redriven = await fetch("/webhooks/redrive", { method: "POST", headers: { "content-type": "application/json" }, body });
  expect(await redriven.json()).toEqual({ run_ids: [] });
});

test("the old endpoints redrive a dead webhook, whose letter then says so", async () => {
  const runId = await dead("/five");
  const body = JSON.stringify({ run_ids: [runId, randomUUID()] });
  const redriven = await fetch("/webhooks/redrive", { method: "POST", headers: { "content-type": "application/json" }, body });
  expect(await redriven.json()).toEqual({ run_ids: [runId] });
  await until(async () => (await letters.get(runId)).state === "redriven");
});
