import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startTestService } from "./service.ts";
import { collect } from "./sse.ts";

const { client, fetch, databaseUrl } = await startTestService();
const command = fileURLToPath(new URL("../src/cli/ensemble.ts", import.meta.url));
const ensemble = (name: string) =>
  promisify(execFile)(process.execPath, [command, name], { env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl } });
const isHalted = async () => (await (await fetch("/info")).json()).halted;

test("halt stops all work at its next step and takes creates; resume lets it go on, with no step repeated", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "slow", { input: { until: 60, tickMs: 50 }, config: { recursion_limit: 200 } });
  for await (const { event } of client.runs.joinStream(threadId, run.run_id)) if (event === "values") break;
  expect(await isHalted()).toBe(false);
  const following = collect(client.runs.joinStream(threadId, run.run_id));

  expect((await ensemble("halt")).stdout).toContain("Halted");
  expect(await isHalted()).toBe(true);
  while ((await client.runs.get(threadId, run.run_id)).status !== "pending") await new Promise((resolve) => setTimeout(resolve, 50));
  const later = await client.runs.create(null, "steps", { input: {} });
  expect(later.status).toBe("pending");

  await ensemble("resume");
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ ticks: 60 });
  const events = await following; // the pause is no end
  expect(events.at(-1)?.data).toMatchObject({ ticks: 60 });
  expect(events.map(({ id }) => Number(id))).toEqual(events.map((_, index) => index));
  expect(await client.runs.join(later.thread_id, later.run_id)).toMatchObject({ last: "three" });
  expect(await isHalted()).toBe(false);
});
