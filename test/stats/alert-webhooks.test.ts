import { createHmac, randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { Registry } from "prom-client";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startService } from "../../src/main.ts";
import { agentMetrics } from "../../src/metrics/agents.ts";
import { startStatistics } from "../../src/worker/statistics.ts";
import { makeProject, until } from "../command.ts";
import { createDatabase } from "../database.ts";
import { startModelServer } from "../model-server.ts";
import { type Received, startReceiver } from "../receiver.ts";
import { startTestService } from "../service.ts";

const secret = randomBytes(24);
const answer = { status: 200 };
const { url, at } = await startReceiver((response, _, nth) => {
  response.statusCode = nth === 0 ? 500 : answer.status;
  response.end();
});
const model = await startModelServer();
const endpoint = { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: "test" };
for (const [name, value] of Object.entries(endpoint)) vi.stubEnv(name, value);
const graphs = { "fan-out": fileURLToPath(new URL("../../graphs/fan-out.ts:graph", import.meta.url)) };
const project = await makeProject({ "langgraph.json": { graphs, ensemble: { alerts: { webhook: `${url}/alerts` } } } });
const env = {
  ...endpoint,
  ENSEMBLE_CONFIG: `${project}/langgraph.json`,
  ENSEMBLE_WEBHOOK_SECRET: `whsec_${secret.toString("base64")}`,
  ENSEMBLE_WEBHOOK_INSIDE_HOSTS: "127.0.0.1",
  N_JOBS_PER_WORKER: "2",
};
const { client, db, databaseUrl, fetch } = await startTestService(env);
beforeEach(() => db.query("truncate alerts, webhooks"));

const runId = "0198a000-0000-7000-8000-000000000001";
const receiver = { url: "https://example.com/alerts", host: "example.com" };
const start = () => startStatistics({ db, metrics: agentMetrics(new Registry()), log: pino({ level: "silent" }), alertReceiver: receiver });
const check = (value: number) => ({ conflicts: 0, alerts: [{ alert: "waitMs", value, threshold: 5, isCrossed: value > 5 }] });
/** Lets several workers store the same checks at the same time. */
async function storeAtOnce(...values: number[]): Promise<void> {
  const workers = Array.from({ length: 3 }, start);
  for (const worker of workers) for (const value of values) worker.callsOf("g", runId).concluded(check(value));
  await Promise.all(workers.map((worker) => worker.stop()));
}
const stored = async () => (await db.query("select run from webhooks order by run ->> 'changed_at'")).rows.map(({ run }) => run);
/** The deliveries of the tests without a service stay in the table, because a process that claims them could not reach their host. */
const keepHere = () => db.query("update webhooks set due_at = 'infinity'");

test("an alert that several workers notice at once is reported once when it opens, and once when it closes", async () => {
  await storeAtOnce(1);
  expect(await stored()).toEqual([]);
  await storeAtOnce(9);
  await storeAtOnce(8);
  await keepHere();
  const opened = { graph: "g", alert: "waitMs", threshold: 5, run_id: runId };
  expect(await stored()).toMatchObject([{ type: "alert.opened", active: true, value: 9, ...opened }]);
  await storeAtOnce(2);
  await storeAtOnce(3);
  await keepHere();
  expect(await stored()).toMatchObject([
    { type: "alert.opened" },
    { type: "alert.closed", active: false, value: 8, crossings: 6, ...opened },
  ]);
  await storeAtOnce(7);
  expect((await stored()).map(({ type }) => type)).toEqual(["alert.opened", "alert.closed", "alert.opened"]);
});

test("an alert that opens and closes between two writes of a worker is reported twice", async () => {
  const worker = start();
  for (const value of [9, 1]) worker.callsOf("g", runId).concluded(check(value));
  await worker.stop();
  expect(await stored()).toMatchObject([
    { type: "alert.opened", crossings: 1 },
    { type: "alert.closed", crossings: 1 },
  ]);
});

test("without a URL in the project, alerts are stored and nobody is called", async () => {
  await storeAtOnce(9);
  const silent = startStatistics({ db, metrics: agentMetrics(new Registry()), log: pino({ level: "silent" }) });
  silent.callsOf("g", runId).concluded(check(1));
  await silent.stop();
  expect((await db.query("select is_active from alerts")).rows).toEqual([{ is_active: false }]);
  expect((await stored()).map(({ type }) => type)).toEqual(["alert.opened"]);
});

const task = { name: "a", do: { agent: "helper", task: "do a" }, required: false };
const context = { agents: [{ name: "helper", role: "a helper", retries: 0 }], onFailures: "partial", alerts: { failureRate: 0.4 } };
const request = { input: { task: "t", tasks: [task] }, context: { merge: "byName", ...context } } as object;
/** Executes eight runs. The model answers only when four calls are open, which a service with two slots alone cannot have. */
async function runOnBoth(answerOfModel: object): Promise<void> {
  model.script();
  let calls = 0;
  const { promise: bothWork, resolve } = Promise.withResolvers<void>();
  model.respond(async () => {
    if (++calls === 4) resolve();
    await bothWork;
    return answerOfModel;
  });
  await Promise.all(Array.from({ length: 8 }, () => client.runs.wait(null, "fan-out", request)));
}
const isSigned = ({ headers, text }: Received) => {
  const content = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${text}`;
  return headers["webhook-signature"] === `v1,${createHmac("sha256", secret).update(content).digest("base64")}`;
};

test("two services report an alert to the project's URL once when it opens and once when it closes, signed and with retries", async () => {
  const second = await startService(
    readConfig({ ...env, DATABASE_URL: databaseUrl, PORT: "0", LOG_LEVEL: "silent" }),
    pino({ level: "silent" }),
  );
  onTestFinished(second.stop);
  const alerts = () => at("/alerts");
  await runOnBoth({ status: 400 });
  await until(() => alerts().length >= 2); // the first delivery is answered with 500
  const isIdle = async () => (await db.query("select count(*)::integer as n from webhooks where status = 'pending'")).rows[0].n === 0;
  const crossings = async () =>
    (await db.query("select crossings::integer as n, is_active from alerts where alert = 'failureRate'")).rows[0];
  await until(async () => (await crossings())?.n === 8 && (await isIdle()));
  const [failed, opened] = alerts();
  expect(alerts()).toHaveLength(2);
  expect(opened?.headers["webhook-id"]).toBe(failed?.headers["webhook-id"]);
  expect(opened?.body).toMatchObject({
    type: "alert.opened",
    graph: "fan-out",
    alert: "failureRate",
    active: true,
    value: 1,
    threshold: 0.4,
  });
  expect(opened?.body.run_id).toEqual(expect.any(String));
  expect(Date.parse(String(opened?.body.changed_at))).toBeGreaterThan(0);

  await runOnBoth({ tokens: ["done"] });
  await until(async () => (await crossings()).is_active === false && alerts().length >= 3 && (await isIdle()));
  expect(alerts()).toHaveLength(3);
  expect(alerts()[2]?.body).toMatchObject({ type: "alert.closed", graph: "fan-out", alert: "failureRate", active: false });
  expect(alerts().map(isSigned)).toEqual([true, true, true]);
});

test("a report that the receiver refuses for good is among the dead letters, and names the run", async () => {
  answer.status = 410;
  model.script({ status: 400 });
  await client.runs.wait(null, "fan-out", request);
  const letters = async () =>
    (await (await fetch("/dead-letters?kind=webhook")).json()) as { run_id: string; graph_id: string; item: unknown }[];
  await until(async () => (await letters()).length > 0);
  const { rows } = await db.query("select run_id from alerts");
  expect(await letters()).toMatchObject([{ kind: "webhook", run_id: rows[0].run_id, graph_id: "fan-out" }]);
});

test("a service does not start with a URL for alerts that webhooks may not call", async () => {
  const settings = { ...env, ENSEMBLE_WEBHOOK_INSIDE_HOSTS: "", DATABASE_URL: await createDatabase(), PORT: "0", LOG_LEVEL: "silent" };
  await expect(startService(readConfig(settings), pino({ level: "silent" }))).rejects.toThrow("ensemble.alerts.webhook must be https");
});
