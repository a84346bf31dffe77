import { pino } from "pino";
import { expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startService } from "../../src/main.ts";
import type { ServiceStats } from "../../src/stats/service-stats.ts";
import { until } from "../command.ts";
import { startTestService } from "../service.ts";

const { client, fetch: ask, databaseUrl } = await startTestService();

const read = async (query = ""): Promise<ServiceStats> => (await ask(`/stats${query}`)).json();
const withoutTime = ({ now: _, runs, graphs, ...others }: ServiceStats) => {
  const counts = [runs, ...graphs].map(({ throughput_per_hour: _perHour, ...one }) => one);
  return { ...others, counts };
};

test("runs are counted by their outcome, and every process says the same, also one that starts later", async () => {
  await client.runs.wait(null, "steps", { input: {} });
  await client.runs.wait(null, "fails", { input: {}, raiseError: false });
  await until(async () => {
    const { runs } = await read();
    return runs.succeeded === 1 && runs.failed === 1 && runs.created === 2;
  });
  const [one, other] = [await read(), await read()];
  expect(withoutTime(one)).toEqual(withoutTime(other));
  expect(one.graphs).toMatchObject([
    { graph: "fails", created: 1, succeeded: 0, failed: 1, interrupted: 0 },
    { graph: "steps", created: 1, succeeded: 1, failed: 0, interrupted: 0 },
  ]);
  expect(one.runs.duration_seconds.p95).toBeGreaterThanOrEqual(one.runs.duration_seconds.p50 ?? Number.NaN);
  expect(one.runs.throughput_per_hour).toBeGreaterThan(0);

  const later = await startService(
    readConfig({
      ENSEMBLE_CONFIG: `${import.meta.dirname}/../graphs/langgraph.json`,
      DATABASE_URL: databaseUrl,
      PORT: "0",
      ENSEMBLE_ROLE: "api",
    }),
    pino({ level: "silent" }),
  );
  const seen = (await (await fetch(`${later.url}/stats`)).json()) as ServiceStats;
  await later.stop();
  expect(withoutTime(seen)).toEqual(withoutTime(one));
});

test("a graph and a time choose what is counted", async () => {
  expect((await read("?graph=steps")).graphs.map(({ graph }) => graph)).toEqual(["steps"]);
  expect((await read("?graph=nothing")).runs).toMatchObject({
    created: 0,
    throughput_per_hour: 0,
    duration_seconds: { p50: null, p95: null },
  });
  expect((await read("?since=2999-01-01T00:00:00Z")).runs).toMatchObject({ created: 0, throughput_per_hour: 0 });
  const { since } = await read("?since=2026-01-31T10:59:59%2B00:00");
  expect(since).toBe("2026-01-31T10:00:00.000Z");
});

test.each(["soon", "2027-13-01T00:00:00Z", "", "7"])("the time %j is refused", async (since) => {
  const response = await ask(`/stats?since=${since}`);
  expect(response.status).toBe(422);
});
