import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Client } from "@langchain/langgraph-sdk";
import { pino } from "pino";
import { expect, onTestFinished, test, vi } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startService } from "../../src/main.ts";
import { runCommand } from "../command.ts";
import { createDatabase } from "../database.ts";
import { startPgBouncer } from "../pgbouncer.ts";
import { collect } from "../sse.ts";

vi.setConfig({ testTimeout: 240_000 });

const project = fileURLToPath(new URL("../graphs/langgraph.json", import.meta.url));

async function start(env: Record<string, string>) {
  const settings = { ENSEMBLE_CONFIG: project, PORT: "0", WORKER_DRAIN_TIMEOUT: "0.2", ...env };
  const service = await startService(readConfig(settings), pino({ level: process.env.TEST_LOG ?? "silent" }));
  onTestFinished(() => service.stop());
  return new Client({ apiUrl: service.url ?? "", apiKey: null });
}

/** Uses a service in several ways: many concurrent runs, a question, a stream, a cancellation, and an item in the store. */
async function useAll(client: Client): Promise<void> {
  const runs = await Promise.all(Array.from({ length: 30 }, () => client.runs.wait(null, "steps", { input: {} })));
  expect(runs).toMatchObject(runs.map(() => ({ last: "three" })));
  const events = await collect(client.runs.stream(null, "slow", { input: { until: 3, tickMs: 20 }, streamMode: "values" }));
  expect(events.at(-1)?.data).toMatchObject({ ticks: 3 });
  const { thread_id: threadId } = await client.threads.create();
  const asked = { input: { questions: [{ prompt: "a?" }] } };
  expect(await client.runs.wait(threadId, "survey", asked)).toHaveProperty("__interrupt__");
  expect(await client.runs.wait(threadId, "survey", { command: { resume: "b" } })).toMatchObject({ answers: { "a?": "b" } });
  const long = await client.runs.create(threadId, "slow", { input: { until: 1, tickMs: 60_000 } });
  await client.runs.cancel(threadId, long.run_id, true);
  const key = randomUUID();
  await client.store.putItem(["a"], key, { b: 1 });
  expect(await client.store.getItem(["a"], key)).toMatchObject({ value: { b: 1 } });
}

test("behind a PgBouncer that gives out connections for a transaction, with a direct address beside it", async () => {
  const direct = await createDatabase();
  const pooled = await startPgBouncer(direct, { pool_mode: "transaction", default_pool_size: "3" });
  const env = { DATABASE_URL: pooled, DATABASE_DIRECT_URL: direct };
  await start({ ...env, ENSEMBLE_ROLE: "worker" });
  await useAll(await start({ ...env, ENSEMBLE_ROLE: "api" }));
  expect(await runCommand(["migrate"], env)).toMatchObject({ code: 0, stdout: "The schema is up to date.\n" });
});

test("behind a PgBouncer that gives out connections for a session, without a direct address", async () => {
  const settings = { pool_mode: "session", ignore_startup_parameters: "options", default_pool_size: "40" };
  await useAll(await start({ DATABASE_URL: await startPgBouncer(await createDatabase(), settings) }));
});
