import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startService } from "../../src/main.ts";
import { until } from "../command.ts";
import { startTestService } from "../service.ts";

async function startWorker(databaseUrl: string) {
  const settings = { ENSEMBLE_CONFIG: "test/graphs/langgraph.json", DATABASE_URL: databaseUrl, ENSEMBLE_ROLE: "worker" };
  const worker = await startService(readConfig(settings), pino({ level: "silent" }));
  onTestFinished(worker.stop);
  return worker;
}

test("an interrupt outlives its service, and a later service times it out once", async () => {
  const { client: api, db, databaseUrl } = await startTestService({ ENSEMBLE_ROLE: "api" });
  const first = await startWorker(databaseUrl);
  const { thread_id: threadId } = await api.threads.create();
  await api.runs.wait(threadId, "survey", { input: { questions: [{ prompt: "q", timeoutSeconds: 3_600 }] } });
  await first.stop();
  await db.query("update timers set due_at = now() where thread_id = $1", [threadId]);
  expect(await api.threads.get(threadId)).toMatchObject({ status: "interrupted" });

  await Promise.all([1, 2, 3].map(() => startWorker(databaseUrl)));
  await until(async () => (await api.threads.get(threadId)).status === "idle");
  expect(await api.threads.get(threadId)).toMatchObject({ values: { answers: { q: { timedOut: true } } } });
  expect(await api.runs.list(threadId)).toHaveLength(2);
});
