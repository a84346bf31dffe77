import { expect, onTestFinished, test } from "vitest";
import { startCluster } from "../cluster-of-processes.ts";
import { createDatabase } from "../database.ts";
import { clientFor, startProcess } from "../service.ts";
import { eventually } from "../sse.ts";
import { expectQuiet, open, shoot } from "./browser.ts";

const longTask = { input: { until: 60, tickMs: 200 }, config: { recursion_limit: 1_000 } };
const lostConnection = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED|ERR_NETWORK/;

test("a worker is killed while its run is open, and the takeover appears in the timeline", async () => {
  const cluster = await startCluster();
  const first = await cluster.startWorker();
  const { thread_id: threadId } = await cluster.client.threads.create();
  const { run_id: runId } = await cluster.client.runs.create(threadId, "slow", longTask);
  const opened = await open(`${cluster.url}/console/threads/${threadId}/runs/${runId}`);
  const { page } = opened;
  const timeline = page.getByRole("treegrid");
  await timeline.getByText("tick").nth(2).waitFor();
  first.child.kill("SIGKILL");
  const second = await cluster.startWorker();
  await timeline.getByText(new RegExp(`Worker \\S+/${first.child.pid} died. Taken over by \\S+/${second.child.pid}`)).waitFor();
  await page.getByText("Succeeded", { exact: true }).first().waitFor();
  await page.getByText("1 takeover").waitFor();
  await shoot(opened, "run-killed");
  expectQuiet(opened);
});

test("the service restarts while a run streams, and the page goes on to the run's end", async () => {
  const project = new URL("../graphs/langgraph.json", import.meta.url).pathname;
  const env = { ENSEMBLE_CONFIG: project, DATABASE_URL: await createDatabase(), LOG_LEVEL: "silent", WORKER_DRAIN_TIMEOUT: "0.2" };
  const first = await startProcess({ ...env, PORT: "0" });
  onTestFinished(async () => void (await first.stop()));
  const { client } = clientFor([first.url ?? ""]);
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "slow", longTask);
  const opened = await open(`${first.url}/console/threads/${threadId}/runs/${runId}`);
  const { page } = opened;
  await page.getByRole("treegrid").getByText("tick").nth(2).waitFor();
  await first.stop();
  await page.getByText("The service does not answer. Trying again …").waitFor();
  const second = await startProcess({ ...env, PORT: new URL(first.url ?? "").port });
  onTestFinished(async () => void (await second.stop()));
  await page.getByText("The service does not answer. Trying again …").waitFor({ state: "detached" });
  await page.getByText("Succeeded", { exact: true }).first().waitFor();
  await eventually(async () => (await client.runs.get(threadId, runId)).status).toBe("success");
  expect(await page.getByRole("treegrid").getByText("tick").count()).toBeGreaterThan(10);
  await shoot(opened, "run-restarted");
  expectQuiet(opened, lostConnection);
});
