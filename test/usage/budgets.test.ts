import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import { until } from "../command.ts";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";

const model = await startModelServer();
const { client, fetch, db } = await startTestService({
  ENSEMBLE_CONFIG: new URL("../graphs/budgets.json", import.meta.url).pathname,
  N_JOBS_PER_WORKER: "4",
});

beforeEach(async () => {
  await db.query("delete from usage");
  await send("DELETE", "/limits/agent");
  model.script({ tokens: ["hello"] });
});

const send = (method: string, path: string, body?: object) =>
  fetch(path, { method, ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }) });
const limit = async (values: object) => expect((await send("PUT", "/limits/agent", values)).status).toBe(200);
const bodyOf = (tenant?: string) => ({
  assistant_id: "agent",
  input: { messages: [{ role: "user", content: "hi" }] },
  config: { configurable: { base_url: model.baseUrl } },
  metadata: { ...(tenant && { tenant }) },
});
/** Runs the agent to its end. The response of a wait begins before the run has ended, so its whole text is read. */
async function run(tenant?: string): Promise<{ status: number; text: string }> {
  const response = await send("POST", "/runs/wait", bodyOf(tenant));
  return { status: response.status, text: await response.text() };
}
const spend = (key: string, tokens: number, dollars = 0) =>
  db.query(
    `insert into usage (day, key, graph_id, model, input_tokens, dollars) values ((now() at time zone 'utc')::date, $1, 'agent', 'm', $2, $3)`,
    [key, tokens, dollars],
  );

test("when the tokens of a day are used, new runs of the key get 402 and a clear text, and other keys go on", async () => {
  await limit({ daily_tokens: 1_000 });
  await spend("a", 999);
  expect((await run("a")).status).toBe(200); // one token was left
  const refused = await run("a");
  expect(refused.status).toBe(402);
  expect(refused.text).toMatch(/^The runs of "a" have used \d+ of the 1000 tokens that the limit "agent" allows them for a day\./);
  expect((await run("b")).status).toBe(200);
  const [{ refused: count }] = await (await fetch("/limits")).json();
  expect(count).toBe(1);
});

test("every endpoint that creates runs refuses them, and leaves nothing behind", async () => {
  await limit({ daily_dollars: 5 });
  await spend("", 1, 5);
  const { thread_id } = await client.threads.create();
  const before = await db.query("select count(*)::integer as n from threads");
  const paths = [
    "/runs",
    "/runs/wait",
    "/runs/stream",
    `/threads/${thread_id}/runs`,
    `/threads/${thread_id}/runs/wait`,
    `/threads/${thread_id}/runs/stream`,
  ];
  for (const path of paths) expect([path, (await send("POST", path, bodyOf())).status]).toEqual([path, 402]);
  expect((await send("POST", "/runs/batch", [bodyOf("rich"), bodyOf()])).status).toBe(402);
  expect((await db.query("select count(*)::integer as n from threads")).rows).toEqual(before.rows);
  expect((await db.query("select 1 from runs where status in ('pending', 'running')")).rowCount).toBe(0);
  expect(await (await send("POST", "/runs", bodyOf())).text()).toContain("The runs without a queue key have cost $5.0000 of the $5");
});

test("a raised budget counts at once, yesterday's usage does not count, and in shadow nothing is refused", async () => {
  await limit({ daily_tokens: 10 });
  await spend("a", 10);
  expect((await run("a")).status).toBe(402);
  await limit({ daily_tokens: 11 });
  expect((await run("a")).status).toBe(200);
  expect((await run("a")).status).toBe(402);
  await limit({ daily_tokens: 11, shadow: true });
  expect((await run("a")).status).toBe(200);
  await limit({ daily_tokens: 11 });
  await db.query("update usage set day = day - 1");
  expect((await run("a")).status).toBe(200);
});

test("of 32 runs at once none begins after the budget is used up, and the usage is exact", async () => {
  await run("probe");
  const [{ tokens }] = (await db.query("select (input_tokens + output_tokens)::integer as tokens from usage where key = 'probe'")).rows;
  await limit({ daily_tokens: 10 * tokens, total: 4 });
  model.respond(async () => {
    await sleep(5);
    return { tokens: ["hello"] };
  });
  const created = await Promise.all(Array.from({ length: 32 }, () => send("POST", "/runs", bodyOf("many"))));
  const ids = await Promise.all(created.filter(({ ok }) => ok).map(async (response) => (await response.json()).run_id));
  const { rows } = await settled(ids);
  const ended = rows.filter(({ status }) => status === "success").length;
  expect(ended).toBeGreaterThanOrEqual(10);
  expect(ended).toBeLessThanOrEqual(10 + 4 - 1); // four run at once, so three may have begun before the tenth ended
  for (const { status, error } of rows) if (status === "error") expect(error).toMatchObject({ error: "BudgetSpentError" });
  const used = await db.query(
    "select sum(calls)::integer as calls, sum(input_tokens + output_tokens)::integer as tokens from usage where key = 'many'",
  );
  expect(used.rows).toEqual([{ calls: ended, tokens: ended * tokens }]);
  expect((await run("many")).status).toBe(402);
});

async function settled(ids: string[]) {
  for (;;) {
    const found = await db.query("select status, error from runs where run_id = any($1)", [ids]);
    if (found.rows.every(({ status }) => status !== "pending" && status !== "running")) return found;
    await sleep(20);
  }
}

test("a question is answered or times out, although the budget is spent and the queue is full", async () => {
  const create = (threadId: string, body: object) =>
    send("POST", `/threads/${threadId}/runs`, { assistant_id: "survey", metadata: { tenant: "a" }, ...body });
  const ask = async (timeoutSeconds: number | undefined) => {
    const { thread_id } = await client.threads.create();
    const { run_id } = await (await create(thread_id, { input: { questions: [{ prompt: "q", timeoutSeconds }] } })).json();
    await client.runs.join(thread_id, run_id);
    return thread_id;
  };
  const threadId = await ask(undefined);
  const timed = await ask(1);
  await send("PUT", "/limits/survey", { daily_tokens: 0, max_waiting: 0 });
  expect((await create(threadId, { input: {} })).status).toBe(402);
  const answered = await create(threadId, { command: { resume: "yes" } });
  expect(answered.status).toBe(200);
  await client.runs.join(threadId, (await answered.json()).run_id);
  expect((await client.threads.get(threadId)).status).toBe("idle");
  await until(async () => (await client.threads.get(timed)).status === "idle");
});

test("a run that has begun goes on when its budget is used up meanwhile", async () => {
  await limit({ daily_tokens: 1 });
  model.respond((messages) =>
    messages.includes("tool_call_id") ? { tokens: ["Sunny."] } : { toolCall: { id: "call_1", name: "weather", args: { city: "Bonn" } } },
  );
  const { messages } = JSON.parse((await run("a")).text);
  expect(messages.at(-1)).toMatchObject({ content: "Sunny." });
  expect((await run("a")).status).toBe(402);
});

test("a budget alone costs claims nothing, because its runs hold no slots", async () => {
  await db.query("delete from threads");
  await limit({ daily_tokens: 1_000_000 });
  expect((await run("a")).status).toBe(200);
  expect((await db.query("select 1 from runs where holds is not null")).rowCount).toBe(0);
  expect((await db.query("select 1 from limits where has_slots")).rowCount).toBe(0);
});
