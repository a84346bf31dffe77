import { createHmac, randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { resolve } from "node:path";
import { pino } from "pino";
import { expect, onTestFinished, test, vi } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startService } from "../../src/main.ts";
import { sweepOnce } from "../../src/retention/sweep.ts";
import { timeOutRuns } from "../../src/runs/sweep.ts";
import { makeProject, runCommand, until } from "../command.ts";
import { type Received, startReceiver } from "../receiver.ts";
import { startProcess, startTestService } from "../service.ts";

const secret = randomBytes(24);
const { url, at } = await startReceiver(answerByPath);
const hanging = await startReceiver(() => {});
const graphs = { steps: "steps", fails: "fails", review: "review", slow: "slow" };
vi.stubEnv("LG_WEBHOOK_TOKEN", "t0ken");
const project = await makeProject({
  "langgraph.json": {
    graphs: {
      ...Object.fromEntries(Object.entries(graphs).map(([id, file]) => [id, `${resolve("test/graphs", file)}.ts:graph`])),
      echo: `${resolve("graphs/echo.ts")}:graph`,
    },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how the file writes it
    webhooks: { headers: { authorization: "Bearer ${{ env.LG_WEBHOOK_TOKEN }}" } },
  },
});
/** The URL of the same receiver under another host name, which the service treats as another host. */
const besideUrl = url.replace("127.0.0.1", "localhost");
const env = {
  ENSEMBLE_CONFIG: `${project}/langgraph.json`,
  ENSEMBLE_WEBHOOK_SECRET: `whsec_${secret.toString("base64")}`,
  ENSEMBLE_WEBHOOK_INSIDE_HOSTS: "127.0.0.1 localhost",
};
const { client, fetch, db, databaseUrl } = await startTestService(env);

/**
 * Answers by the path: `/500-twice/…` fails twice, `/500/…` fails until it is in `mended`, and `/redirect/…` redirects to a metadata
 * service.
 */
function answerByPath(response: ServerResponse, path: string, nth: number): void {
  if (path.startsWith("/redirect")) response.writeHead(302, { location: "http://169.254.169.254/latest/meta-data/" });
  else if ((path.startsWith("/500-twice") && nth < 2) || (path.startsWith("/500/") && !mended.has(path))) response.statusCode = 500;
  else if (path.startsWith("/410")) response.statusCode = 410;
  response.end();
}
const mended = new Set<string>();

const rowOf = async (runId: string) => (await db.query("select * from webhooks where run_id = $1", [runId])).rows[0];
const told = async (path: string): Promise<Received> => {
  await until(() => at(path).length > 0);
  return at(path)[0] as Received;
};
/** Makes the next try of a webhook due now, or the time when the service gives it up. */
const hasten = (runId: string, column: "due_at" | "give_up_at") =>
  db.query(`update webhooks set ${column} = now() where run_id = $1 and status = 'pending'`, [runId]);

test("a webhook carries the run as the API shows it and its final values, is signed, and has the configured headers", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const input = { messages: [{ role: "user", content: "hello" }] };
  const created = await client.runs.create(threadId, "echo", { input, webhook: `${url}/done`, metadata: { of: "mine" } });
  const { headers, text, body } = await told("/done");

  const { values } = await client.threads.get(threadId);
  expect(body).toEqual({
    ...(await client.runs.get(threadId, created.run_id)),
    values,
    run_started_at: expect.any(String),
    run_ended_at: expect.any(String),
    webhook_sent_at: expect.any(String),
  });
  expect(body).toMatchObject({
    status: "success",
    metadata: { of: "mine" },
    values: { messages: [{ type: "human", content: "hello" }, { type: "ai" }] },
  });
  for (const name of ["created_at", "updated_at", "run_started_at", "run_ended_at", "webhook_sent_at"]) {
    expect(body[name]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  }
  const signed = `${created.run_id}.${headers["webhook-timestamp"]}.${text}`;
  expect(headers).toMatchObject({
    "content-type": "application/json",
    authorization: "Bearer t0ken",
    "webhook-id": created.run_id,
    "webhook-timestamp": String(Math.floor(Date.parse(String(body.webhook_sent_at)) / 1000)),
    "webhook-signature": `v1,${createHmac("sha256", secret).update(signed).digest("base64")}`,
  });
  await until(async () => (await rowOf(created.run_id)).status === "delivered");
  expect(await rowOf(created.run_id)).toMatchObject({ attempts: 1, run: null });
});

test("every way in which a run can end sends a webhook", async () => {
  const { thread_id: failing } = await client.threads.create();
  await client.runs.create(failing, "fails", { input: {}, webhook: `${url}/failed` });
  expect((await told("/failed")).body).toMatchObject({ status: "error", error: "Boo!", values: { done: "work" } });

  const { thread_id: asking } = await client.threads.create();
  await client.runs.create(asking, "review", { input: { topic: "rivers" }, webhook: `${url}/asked` });
  expect((await told("/asked")).body).toMatchObject({ status: "success", values: { draft: "On rivers" } });

  const { thread_id: waiting } = await client.threads.create();
  const pending = await client.runs.create(waiting, "steps", { input: {}, afterSeconds: 600, webhook: `${url}/cancelled` });
  await client.runs.cancel(waiting, pending.run_id);
  expect((await told("/cancelled")).body).toMatchObject({
    run_id: pending.run_id,
    status: "interrupted",
    run_started_at: null,
    values: null,
  });

  const { thread_id: long } = await client.threads.create();
  const overdue = await client.runs.create(long, "slow", { input: { tickMs: 60_000 }, webhook: `${url}/overdue` });
  await until(async () => (await client.runs.get(long, overdue.run_id)).status === "running");
  await db.query("update runs set started_at = started_at - interval '1 day' where run_id = $1", [overdue.run_id]);
  await timeOutRuns(db, 3_600); // the service's own sweeper may have ended it first
  expect((await told("/overdue")).body).toMatchObject({ status: "timeout", error: expect.stringContaining("BG_JOB_TIMEOUT_SECS") });

  const { thread_id: taken } = await client.threads.create();
  const gone = await client.runs.create(taken, "steps", { input: {}, afterSeconds: 600, webhook: `${url}/rolled-back` });
  await client.runs.cancel(taken, gone.run_id, false, "rollback");
  expect(await rowOf(gone.run_id)).toBeUndefined();
});

test("odd documents reach the receiver as they were", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const odd = 'nul \u0000, lone \ud800, "quoted", \u2028';
  const input = { log: [odd] };
  await client.runs.create(threadId, "steps", { input, metadata: { odd }, webhook: `${url}/odd?a=b#c` });
  const pending = await client.runs.create(threadId, "steps", { input, afterSeconds: 600, webhook: `${url}/odd-cancelled` });
  await client.runs.cancel(threadId, pending.run_id);
  expect((await told("/odd?a=b")).body).toMatchObject({
    metadata: { odd },
    kwargs: { input },
    values: { log: [odd, "one", "two", "three"] },
  });
  expect((await told("/odd-cancelled")).body).toMatchObject({ status: "interrupted", kwargs: { input } });
});

test("what a receiver fails to take is sent again, the same, though the stateless run and its thread are gone meanwhile", async () => {
  const run = await client.runs.create(null, "steps", { input: {}, webhook: `${url}/500-twice` });
  await until(async () => (await rowOf(run.run_id))?.error !== undefined && (await rowOf(run.run_id)).error !== null);
  await db.query("delete from threads where thread_id = $1", [run.thread_id]);
  await until(() => at("/500-twice").length === 3);
  await until(async () => (await rowOf(run.run_id)).status === "delivered");
  const [first, , third] = at("/500-twice") as [Received, Received, Received];
  expect(third.headers["webhook-id"]).toBe(first.headers["webhook-id"]);
  expect({ ...third.body, webhook_sent_at: 0 }).toEqual({ ...first.body, webhook_sent_at: 0 });
  expect(third.body).toMatchObject({ values: { last: "three" } });
  expect(await rowOf(run.run_id)).toMatchObject({ attempts: 3, error: null });
});

test("the pause before the next try grows twofold with each, up to an hour, and chance takes off half of it at most", async () => {
  const longest: Record<number, number> = { 0: 1, 3: 8, 6: 64, 11: 2_048, 12: 3_600, 30: 3_600 };
  const { rows: added } = await db.query(
    `insert into webhooks (run_id, thread_id, url, run, attempts)
     select gen_random_uuid(), gen_random_uuid(), $1, '{"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}', attempts
       from unnest($2::integer[]) attempts
     returning run_id, attempts`,
    [`${url}/500/pause`, Object.keys(longest)],
  );
  for (const { run_id: runId, attempts } of added) {
    await until(async () => (await rowOf(runId)).error !== null);
    const { rows } = await db.query(
      "delete from webhooks where run_id = $1 returning extract(epoch from due_at - now())::float8 as pause",
      [runId],
    );
    expect(rows[0].pause).toBeLessThanOrEqual(longest[attempts] ?? 0);
    if (attempts > 0) expect(rows[0].pause).toBeGreaterThan((longest[attempts] ?? 0) / 2 - 2); // some of the pause has already passed
  }
});

test("a receiver that hangs holds up neither runs nor the webhooks of others", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const insert = `
    insert into webhooks (run_id, thread_id, url, host, run, due_at)
    select gen_random_uuid(), $1, $2, 'hanging', '{"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}', now() - interval '1 hour'
      from generate_series(1, 100)`;
  await db.query(insert, [threadId, `${hanging.url}/hang`]);
  onTestFinished(async () => void (await db.query("delete from webhooks where thread_id = $1", [threadId])));
  await until(() => hanging.received.length > 0);

  await client.runs.wait(threadId, "steps", { input: {}, webhook: `${url}/beside` });
  await told("/beside");
  expect(hanging.received.some(({ closed }) => closed())).toBe(false); // the first delivery is still in progress
});

/**
 * A time limit in seconds. The service gives up a hanging receiver after ten seconds. A delivery that waited for one would thus exceed this
 * limit.
 */
const soon = 6;

/** Starts a service whose workers know no receiver yet. */
async function startAmongHanging() {
  const service = await startTestService(env);
  const secondsUntilTold = async (webhook: string): Promise<number> => {
    const { run_id: runId } = await service.client.runs.create(null, "steps", { input: {}, webhook });
    const statement = "select extract(epoch from settled_at - created_at)::float8 as seconds from webhooks where run_id = $1";
    const ask = async () => (await service.db.query(statement, [runId])).rows[0]?.seconds ?? null;
    await until(async () => (await ask()) !== null);
    return ask();
  };
  return { ...service, secondsUntilTold };
}

const portOf = (url: string) => new URL(url).port;
const spellings = [
  "127.0.0.1",
  "127.1",
  "127.0.1",
  "2130706433",
  "0x7f.1",
  "0177.0.0.1",
  "127.0.0.1.",
  "%3127.0.0.1",
  "a@127.0.0.1",
  "/127.0.0.1",
];

test.each<[string, (urls: string[]) => string[], good: string]>([
  ["ten ports of one machine", (urls) => urls, `${besideUrl}/beside-ports`],
  [
    "a receiver in ten spellings",
    ([one = ""]) => spellings.map((host) => `http://${host}:${portOf(one)}/`),
    `${besideUrl}/beside-spellings`,
  ],
  ["a receiver whose URL hides its host from a glance", ([one = ""]) => [`http:///127.0.0.1:${portOf(one)}/`], "/assistants/count"],
])("%s, all hanging, hold up nobody else", async (_, webhooksOf, good) => {
  const { client: api, db: stored, secondsUntilTold } = await startAmongHanging();
  const receivers = await Promise.all(Array.from({ length: 10 }, () => startReceiver(() => {})));
  const webhooks = webhooksOf(receivers.map((receiver) => receiver.url));
  const runs = Array.from({ length: 40 }, (_, nth) => ({
    assistantId: "steps",
    input: {},
    webhook: webhooks[nth % webhooks.length] ?? "",
  }));
  await api.runs.createBatch(runs);
  await until(async () => (await stored.query("select from webhooks")).rowCount === runs.length);
  expect(await secondsUntilTold(good)).toBeLessThan(soon);
  expect(receivers.flatMap(({ received }) => received).length).toBeLessThanOrEqual(4);
});

test("many receivers that never answer do not delay those that do, and ten of them not even a new receiver", async () => {
  const { db: stored, secondsUntilTold } = await startAmongHanging();
  const { url: nowhere, received } = await startReceiver(() => {});
  const tell = (names: number) =>
    stored.query(
      `insert into webhooks (run_id, thread_id, url, host, run)
       select gen_random_uuid(), gen_random_uuid(), $1, $2 || name, '{"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}'
         from generate_series(1, $3::integer) name, generate_series(1, 5)`,
      [`${nowhere}/`, crypto.randomUUID(), names],
    );
  await tell(10);
  await until(() => received.length >= 10);
  expect(await secondsUntilTold(`${besideUrl}/beside-ten`)).toBeLessThan(soon);
  await tell(100);
  await until(() => received.length >= 32);
  expect(await secondsUntilTold(`${besideUrl}/beside-a-hundred`)).toBeLessThan(soon);
  expect(received.filter(({ closed }) => !closed()).length).toBeLessThanOrEqual(64);
});

test("after a day a delivery is dead, until it is redriven through the API", async () => {
  const { run_id: runId, thread_id: threadId } = await client.runs.create(null, "steps", { input: {}, webhook: `${url}/500/dead` });
  const { run_id: other } = await client.runs.create(null, "steps", { input: {}, webhook: `${url}/410` });
  await until(async () => (await rowOf(runId)) !== undefined);
  await hasten(runId, "give_up_at");
  await hasten(runId, "due_at");
  await until(async () => (await rowOf(runId)).status === "dead" && (await rowOf(other))?.status === "dead");

  const dead = await (await fetch("/webhooks/dead?limit=1000")).json();
  expect(dead).toContainEqual({
    run_id: runId,
    thread_id: threadId,
    url: `${url}/500/dead`,
    attempts: expect.any(Number),
    error: "The receiver answered 500.",
    created_at: expect.any(String),
    died_at: expect.any(String),
  });
  expect(dead).toContainEqual(expect.objectContaining({ run_id: other, attempts: 1, error: expect.stringContaining("410") }));

  mended.add("/500/dead");
  const before = at("/500/dead").length;
  const body = JSON.stringify({ run_ids: [runId, crypto.randomUUID()] });
  expect(await (await fetch("/webhooks/redrive", { method: "POST", body })).json()).toEqual({ run_ids: [runId] });
  await until(async () => (await rowOf(runId)).status === "delivered");
  expect(at("/500/dead").length).toBeGreaterThan(before);
  expect(at("/500/dead").at(-1)?.body).toMatchObject({ run_id: runId, values: { last: "three" } });
});

test("the command lists the dead and sends them again", async () => {
  const { run_id: runId } = await client.runs.create(null, "steps", { input: {}, webhook: `${url}/500/command` });
  await until(async () => (await rowOf(runId)) !== undefined);
  await hasten(runId, "give_up_at");
  await hasten(runId, "due_at");
  await until(async () => (await rowOf(runId)).status === "dead");
  const ensemble = (...args: string[]) => runCommand(["webhooks", ...args], { DATABASE_URL: databaseUrl });

  const unknown = crypto.randomUUID();
  const [listed, wrong] = await Promise.all([ensemble(), ensemble("redrive", unknown)]);
  expect(listed).toMatchObject({ code: 0, stdout: expect.stringContaining(`${url}/500/command  The receiver answered 500.`) });
  expect(wrong).toMatchObject({ code: 1, stderr: `ensemble: No dead webhook belongs to ${unknown}.\n` });
  mended.add("/500/command");
  expect(await ensemble("redrive", runId)).toMatchObject({ code: 0, stdout: "1 webhook is sent again.\n" });
  await until(async () => (await rowOf(runId)).status === "delivered");
});

test("a redirect counts as a failure and is not followed", async () => {
  const { run_id: runId } = await client.runs.create(null, "steps", { input: {}, webhook: `${url}/redirect` });
  await until(async () => ((await rowOf(runId))?.error ?? null) !== null);
  expect(await rowOf(runId)).toMatchObject({ status: "pending", error: "The receiver answered 302; redirects are not followed." });
});

test("a path is a call of our own app", async () => {
  const { run_id: runId } = await client.runs.create(null, "steps", { input: {}, webhook: "/assistants/count" });
  const { run_id: nowhere } = await client.runs.create(null, "steps", { input: {}, webhook: "/nowhere" });
  await until(async () => (await rowOf(runId))?.status === "delivered");
  await until(async () => (await rowOf(nowhere))?.error === "The receiver answered 404.");
});

test("what was delivered is forgotten after a day, what is dead after a month", async () => {
  const add = async (status: string, age: string) => {
    const runId = crypto.randomUUID();
    await db.query(
      `insert into webhooks (run_id, thread_id, url, run, status, error, settled_at) values ($1, $1, 'https://a.test', '{}', $2, 'why', now() - $3::interval)`,
      [runId, status, age],
    );
    return runId;
  };
  const [old, fresh] = [await add("delivered", "25 hours"), await add("delivered", "23 hours")];
  const [lost, dead] = [await add("dead", "31 days"), await add("dead", "29 days")];
  await until(async () => (await sweepOnce(db)) !== undefined); // only one process may sweep at a time, and the service also sweeps
  expect(await Promise.all([old, fresh, lost, dead].map(async (runId) => (await rowOf(runId)) !== undefined))).toEqual([
    false,
    true,
    false,
    true,
  ]);
});

test("a worker stopped and another killed between the end of a run and its delivery: a third delivers", async () => {
  const { client: api, db: stored, databaseUrl } = await startTestService({ ...env, ENSEMBLE_ROLE: "api" });
  const settings = { ...env, DATABASE_URL: databaseUrl, ENSEMBLE_ROLE: "worker", LG_WEBHOOK_TOKEN: "t0ken" };
  const startWorker = () => startService(readConfig(settings), pino({ level: "silent" }));
  const stopping = await startWorker();
  const { thread_id: threadId } = await api.threads.create();
  await api.runs.wait(threadId, "steps", { input: {}, webhook: `${hanging.url}/lost` });
  await until(() => hanging.at("/lost").length === 1);
  await stopping.stop();
  const { rows } = await stored.query("select status, attempts, due_at <= now() as due from webhooks");
  expect(rows).toEqual([{ status: "pending", attempts: 0, due: true }]);

  const dying = await startProcess(settings);
  onTestFinished(() => void dying.child.kill("SIGKILL"));
  await until(() => hanging.at("/lost").length === 2);
  dying.child.kill("SIGKILL");
  await dying.exited;

  const third = await startWorker();
  onTestFinished(third.stop);
  await stored.query("update webhooks set due_at = now(), url = $1", [`${url}/found`]);
  expect((await told("/found")).body).toMatchObject({ thread_id: threadId, values: { last: "three" } });
  expect(at("/found")).toHaveLength(1);
});
