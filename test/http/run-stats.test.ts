import { expect, test } from "vitest";
import { runHistory } from "../../src/runs/history.ts";
import { storeEnded } from "../console/seed.ts";
import { startTestService } from "../service.ts";

const service = await startTestService();
const { client, db, fetch } = service;

interface Stats {
  now: string;
  minutes: { at: string; created: number; success: number; error: number; timeout: number; interrupted: number }[];
}
const sum = ({ minutes }: { minutes: { created: number; success: number; error: number }[] }, key: "created" | "success" | "error") =>
  minutes.reduce((total, minute) => total + minute[key], 0);

test("the runs of the last hour are counted by minute, older ones are not", async () => {
  expect(((await (await fetch("/runs/stats")).json()) as Stats).minutes).toEqual([]);
  await storeEnded(service, 120);
  await db.query(
    "update runs set created_at = now() - interval '2 hours', updated_at = now() - interval '2 hours', ended_at = now() - interval '2 hours' where created_at < (select max(created_at) from runs) - interval '99 seconds'",
  );
  const history = await runHistory(db)();
  expect([sum(history, "created"), sum(history, "success"), sum(history, "error")]).toEqual([100, 50, 17]);
  const times = history.minutes.map(({ at }) => at.getTime());
  expect(times).toEqual(times.toSorted((one, other) => one - other));
  expect(times.every((time) => time % 60_000 === 0)).toBe(true);
});

test("callers share a reading, and a new run is counted in the next one", async () => {
  const read = runHistory(db);
  const [one, other] = await Promise.all([read(), read()]);
  expect(one).toBe(other);
  await client.runs.wait(null, "steps", { input: {} }).catch(() => {});
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "steps", { input: {} });
  await expect.poll(async () => sum(await read(), "created")).toBeGreaterThan(sum(one, "created"));
});

test("after a failed reading the next caller is answered", async () => {
  let fails = true;
  const flaky = { query: (...given: Parameters<typeof db.query>) => (fails ? Promise.reject(new Error("down")) : db.query(...given)) };
  const read = runHistory(flaky as unknown as typeof db);
  await expect(read()).rejects.toThrow("down");
  fails = false;
  expect(sum(await read(), "created")).toBeGreaterThan(0);
});

test("work is halted and resumed over the API", async () => {
  const isHalted = async () => ((await (await fetch("/info")).json()) as { halted: boolean }).halted;
  for (const [action, halted] of [
    ["halt", true],
    ["halt", true],
    ["resume", false],
    ["resume", false],
  ] as const) {
    expect((await fetch(`/workers/${action}`, { method: "POST" })).status).toBe(204);
    expect(await isHalted()).toBe(halted);
  }
});
