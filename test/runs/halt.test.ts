import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { collect, eventually } from "../sse.ts";

const { client, fetch, db, databaseUrl } = await startTestService();
const command = fileURLToPath(new URL("../../src/cli/ensemble.ts", import.meta.url));
const ensemble = (name: string) =>
  promisify(execFile)(process.execPath, [command, name], { env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl } });
/** A run that lasts longer than the start of a command, even on a slow machine. */
const endless = { input: { until: 100_000, tickMs: 50 }, config: { recursion_limit: 200_000 } };
const isHalted = async () => (await (await fetch("/info")).json()).halted;

test("halt stops all runs at their next step but still accepts new runs, and resume continues without repeating a step", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "slow", endless);
  for await (const { event } of client.runs.joinStream(threadId, run.run_id)) if (event === "values") break;
  expect(await isHalted()).toBe(false);
  const following = collect(client.runs.joinStream(threadId, run.run_id));

  expect((await ensemble("halt")).stdout).toContain("Halted");
  expect(await isHalted()).toBe(true);
  await eventually(async () => (await client.runs.get(threadId, run.run_id)).status).toBe("pending");
  const later = await client.runs.create(null, "steps", { input: {} });
  expect(later.status).toBe("pending");

  const ticks = async () => (await client.threads.getState<{ ticks: number }>(threadId)).values.ticks;
  const before = await ticks();
  await ensemble("resume");
  await expect.poll(ticks).toBeGreaterThan(before);
  await client.runs.cancel(threadId, run.run_id, true);
  const events = await following; // a halt does not end the run
  expect(events.map(({ id }) => Number(id))).toEqual(events.map((_, index) => index));
  const told = events.flatMap(({ event, data }) => (event === "values" ? [(data as { ticks?: number }).ticks ?? 0] : []));
  expect(told).toEqual(told.toSorted((a, b) => a - b));
  const { rows } = await db.query("select attempt from runs where run_id = $1", [run.run_id]);
  expect(rows[0].attempt).toBeLessThan(5); // after the halt, the run was not claimed and returned again and again
  expect(await client.runs.join(later.thread_id, later.run_id)).toMatchObject({ last: "three" });
  expect(await isHalted()).toBe(false);
});

test("a run that waits in a halted service is cancelled at once, and a rollback of it takes back what it had done", async () => {
  for (const action of ["interrupt", "rollback"] as const) {
    const { thread_id: threadId } = await client.threads.create();
    await client.runs.wait(threadId, "slow", { input: { name: "kept", until: 0, tickMs: 1 } });
    const run = await client.runs.create(threadId, "slow", { ...endless, input: { ...endless.input, name: "paused" } });
    for await (const { event } of client.runs.joinStream(threadId, run.run_id)) if (event === "values") break;
    await ensemble("halt");
    await eventually(async () => (await client.runs.get(threadId, run.run_id)).status).toBe("pending");
    await client.runs.cancel(threadId, run.run_id, true, action);
    const { names } = (await client.threads.getState<{ names: string[] }>(threadId)).values;
    expect(names).toEqual(action === "interrupt" ? ["kept", "paused"] : ["kept"]);
    expect(await client.threads.get(threadId)).toMatchObject({ status: "idle" });
    await ensemble("resume");
  }
});
