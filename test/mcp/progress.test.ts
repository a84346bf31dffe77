import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { connectMcp, versions } from "./clients.ts";
import { leaving, sendMcp } from "./raw.ts";

const { client: api, db, urls } = await startTestService();
const url = urls[0] ?? "";

test.each(versions)("each step of a run is progress (%s)", async (version) => {
  const client = await connectMcp(url, version);
  const steps: unknown[] = [];
  const result = await client.callTool(
    { name: "slow", arguments: { until: 2, tickMs: 5 } },
    { onprogress: ({ progress, message }) => steps.push([progress, message]) },
  );
  expect(steps).toEqual([
    [1, "note"],
    [2, "tick"],
    [3, "tick"],
  ]);
  expect(result.structuredContent).toMatchObject({ ticks: 2 });
});

const statusOfNewest = async () => (await db.query("select status from runs order by seq desc limit 1")).rows[0]?.status;
const eventsOfNewest = async (): Promise<number> =>
  (await db.query("select count(*)::integer as count from run_events where run_id = (select run_id from runs order by seq desc limit 1)"))
    .rows[0].count;
const longRun = { name: "slow", arguments: { until: 100_000, tickMs: 500 } };

test("a client that closes its connection cancels its call", async () => {
  const leave = leaving();
  const call = sendMcp(url, "tools/call", longRun, { capabilities: {}, signal: leave.signal }).catch(() => "gone");
  await expect.poll(statusOfNewest).toBe("running");
  leave.abort();
  await call;
  await expect.poll(statusOfNewest).toBe("interrupted");
});

test("the run of an older client continues when its connection closes", async () => {
  const leave = leaving();
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: longRun });
  const call = fetch(`${url}/mcp`, { method: "POST", headers, body, signal: leave.signal }).then((response) => response.text());
  await expect.poll(statusOfNewest).toBe("running");
  leave.abort();
  await call.catch(() => {});
  const before = await eventsOfNewest();
  await expect.poll(eventsOfNewest).toBeGreaterThan(before + 1);
  expect(await statusOfNewest()).toBe("running");
  await api.runs.cancelMany({ status: "all" } as never);
  await expect.poll(statusOfNewest).toBe("interrupted"); // or the next test would find this run
});

test("a call whose run is cancelled elsewhere says so", async () => {
  const client = await connectMcp(url, "2026-07-28");
  const call = client.callTool(longRun);
  await expect.poll(statusOfNewest).toBe("running");
  const { rows } = await db.query("select thread_id, run_id from runs order by seq desc limit 1");
  await api.runs.cancel(rows[0].thread_id, rows[0].run_id);
  expect(await call).toMatchObject({ isError: true, content: [{ text: "The run was cancelled." }] });
});
