import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { createDatabase } from "../database.ts";
import { startProxy } from "../proxy.ts";
import { clientFor, startTestService } from "../service.ts";

const databaseUrl = await createDatabase();
const proxy = await startProxy(databaseUrl);
const env = { DATABASE_URL: proxy.url, ENSEMBLE_ROLE: "api", ENSEMBLE_BODY_LIMIT_MB: "1" };
const { urls, client } = await startTestService(env);
await startTestService({ DATABASE_URL: databaseUrl, ENSEMBLE_ROLE: "worker" });
const { fetch } = clientFor(urls);
const db = new pg.Pool({ connectionString: databaseUrl, max: 1 });
afterAll(() => db.end());

/** Creates a run whose metadata has a mark. By this mark, the proxy finds the database's answer about the run. */
const create = (path: string, body: object, headers: Record<string, string> = {}) =>
  fetch(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } });

async function runsWith(mark: string): Promise<string[]> {
  const { rows } = await db.query("select run_id from runs where metadata ->> 'mark' = $1", [mark]);
  return rows.map(({ run_id }) => run_id);
}

const onThread = async () => `/threads/${(await client.threads.create()).thread_id}/runs`;
const run = (mark: string, more: object = {}) => ({ assistant_id: "steps", input: {}, metadata: { mark }, ...more });

const ways: [what: string, words: "COMMIT" | "its own", ask: (mark: string) => Promise<Response>][] = [
  ["a run on a thread", "COMMIT", async (mark) => create(await onThread(), run(mark))],
  ["one that comes after no other", "COMMIT", async (mark) => create(await onThread(), run(mark, { multitask_strategy: "reject" }))],
  ["one with an Idempotency-Key", "COMMIT", (mark) => create("/runs", run(mark), { "idempotency-key": mark.replaceAll(" ", "-") })],
  ["one without a thread", "its own", (mark) => create("/runs", run(mark))],
  ["one that is waited for", "its own", (mark) => create("/runs/wait", run(mark))],
  ["one that is streamed", "COMMIT", async (mark) => create(`${await onThread()}/stream`, run(mark))],
  ["a batch", "COMMIT", (mark) => create("/runs/batch", [run(mark), run(mark)])],
];

test.each(ways)("a create is answered with its run though the database's answer to it is lost: %s", async (what, words, ask) => {
  const mark = `lost on its way ${crypto.randomUUID()}`;
  const lost = proxy.loseAnswerWith(words === "its own" ? mark : words);
  const response = await ask(mark);
  const answer = await response.text();
  expect({ status: response.status, answer }).toMatchObject({ status: 200 });
  await lost;
  const ids = await runsWith(mark);
  expect(ids).toHaveLength(what === "a batch" ? 2 : 1);
  for (const id of ids) expect(`${response.headers.get("content-location")} ${answer}`).toContain(id);
});

const inTransactions = ways.filter(([, words]) => words === "COMMIT");
test.each(inTransactions)("a create whose commit never arrives is made once more, once: %s", async (what, _words, ask) => {
  const mark = `never sent ${crypto.randomUUID()}`;
  const lost = proxy.loseRequestWith("commit");
  const response = await ask(mark);
  await response.text();
  expect(response.status).toBe(200);
  await lost;
  expect(await runsWith(mark)).toHaveLength(what === "a batch" ? 2 : 1);
});

test("a create is refused while the database is away, and nothing is made of it later", async () => {
  const mark = crypto.randomUUID();
  const path = await onThread();
  proxy.refuse();
  expect((await create(path, run(mark))).status).toBe(503);
  proxy.forward();
  expect(await runsWith(mark)).toEqual([]);
});

test("a batch whose answer would be too large is refused before anything is written", async () => {
  const config = { configurable: { long: "x".repeat(20_000) } };
  const { assistant_id } = await client.assistants.create({ graphId: "steps", config });
  const mark = crypto.randomUUID();
  const response = await create("/runs/batch", Array(290).fill({ ...run(mark), assistant_id }));
  expect({ status: response.status, text: (await response.text()).slice(0, 300) }).toEqual({
    status: 413,
    text: "The runs of this batch hold more than 2 MB, with their assistants' configs and metadata. Send fewer runs at once.",
  });
  expect(await runsWith(mark)).toEqual([]);
});
