import { randomUUID } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import { usualPrices } from "../../src/usage/prices.ts";
import { addUsage, sweepUsage, type Usage } from "../../src/usage/usage.ts";
import { usageMeter } from "../../src/worker/usage-meter.ts";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";

const model = await startModelServer();
const { client, fetch, db } = await startTestService({
  ENSEMBLE_CONFIG: new URL("../graphs/budgets.json", import.meta.url).pathname,
  N_JOBS_PER_WORKER: "32",
});

beforeEach(async () => {
  await db.query("delete from usage");
  model.lacks.clear();
  model.script({ tokens: ["hello"] });
});

const configOf = () => ({ configurable: { base_url: model.baseUrl } });
const hello = { messages: [{ role: "user", content: "hi" }] };
const payload = (tenant?: string) => ({ input: hello, config: configOf(), metadata: tenant === undefined ? {} : { tenant } });
const run = (tenant?: string) => client.runs.wait(null, "agent", payload(tenant));

async function usage(query = ""): Promise<Record<string, unknown>[]> {
  const response = await fetch(`/usage${query}`);
  expect(response.status).toBe(200);
  return response.json();
}

/** The tokens that the scripted model reports for each call. */
const reported = { input: 0, output: 0 };

beforeEach(async () => {
  await run("probe");
  const [{ input_tokens, output_tokens } = {}] = await usage();
  Object.assign(reported, { input: input_tokens, output: output_tokens });
  await db.query("delete from usage");
});

test("usage is summed by key, graph, model and day, with dollars by the project's prices", async () => {
  for (const tenant of ["a", "a", "b", undefined]) await run(tenant);
  const { input, output } = reported;
  const sums = await usage("?by=key,graph,model");
  expect(sums.map(({ key, calls }) => [key, calls])).toEqual([
    ["a", 2],
    ["b", 1],
    [null, 1],
  ]);
  const today = new Date().toISOString().slice(0, 10);
  expect(await usage("?by=day,graph&key=a")).toEqual([
    {
      day: today,
      graph: "agent",
      calls: 2,
      failed_calls: 0,
      estimated_calls: 0,
      unpriced_calls: 0,
      input_tokens: 2 * input,
      cached_tokens: 0,
      output_tokens: 2 * output,
      dollars: (2 * (input * 100 + output * 1000)) / 1_000_000,
    },
  ]);
  expect(await usage("?by=model&graph=steps")).toEqual([]);
  expect(await usage("?since=2999-01-01")).toMatchObject([{ calls: 0, dollars: 0 }]);
  expect(await usage(`?until=${today}&since=${today}T00:00:00Z`)).toMatchObject([{ calls: 4 }]);
});

test("usage is complete when the run has ended, also for 32 runs at once", async () => {
  await Promise.all(Array.from({ length: 32 }, () => run("many")));
  expect(await usage("?key=many")).toMatchObject([{ calls: 32, input_tokens: 32 * reported.input, output_tokens: 32 * reported.output }]);
});

test("the tokens of an endpoint that reports none are estimated, and a failed call is counted", async () => {
  model.lacks.add("usage");
  model.script({ tokens: ["four", "more"] });
  await run();
  model.script({ status: 400 });
  await client.runs.wait(null, "agent", { ...payload(), raiseError: false });
  expect(await usage()).toMatchObject([{ calls: 2, estimated_calls: 1, failed_calls: 1, output_tokens: 2 }]);
});

test("a statement that is repeated counts once", async () => {
  const tokens = { inputTokens: 5, cachedTokens: 0, outputTokens: 1, dollars: 0.1 };
  const one: Usage = { key: "k", graphId: "g", model: "m", calls: 1, failedCalls: 0, estimatedCalls: 0, unpricedCalls: 0, ...tokens };
  const write = { writerId: randomUUID(), number: 1, usages: [one] };
  await addUsage(db, write);
  await addUsage(db, write);
  await addUsage(db, { ...write, number: 2 });
  expect(await usage("?key=k")).toMatchObject([{ calls: 2, input_tokens: 10, dollars: 0.2 }]);
});

test("workers that count the same keys in any order do not wait for each other for ever", async () => {
  const usageOf = (key: string): Usage => ({
    ...{ key, graphId: "g", model: "m", calls: 1, failedCalls: 0, estimatedCalls: 0, unpricedCalls: 0 },
    ...{ inputTokens: 1, cachedTokens: 0, outputTokens: 1, dollars: 0 },
  });
  const silent = { error: expect.unreachable } as never;
  const meters = Array.from({ length: 3 }, () => usageMeter(db, silent));
  const keys = Array.from({ length: 20 }, (_, index) => `key ${index}`);
  const orders = [keys, keys.toReversed(), keys.toSorted(() => Math.random() - 0.5)];
  await Promise.all(
    orders.flatMap((order, index) => order.flatMap((key) => [meters[index]?.add(usageOf(key)), meters[index]?.add(usageOf(key))])),
  );
  expect(await usage("?graph=g")).toMatchObject([{ calls: 120 }]);
});

test("what the query says is checked", async () => {
  for (const query of ["?by=user", "?since=soon", "?until=2026-13-01", "?limit=0", "?by=key,,day"])
    expect([query, (await fetch(`/usage${query}`)).status]).toEqual([query, 422]);
});

test("old usage is deleted", async () => {
  await run("old");
  await db.query("update usage set day = day - 10");
  expect(await sweepUsage(db, 10, 100)).toBe(0);
  expect(await sweepUsage(db, 9, 100)).toBe(1);
});

test("the service and the patterns have the same prices", async () => {
  const { priceOf } = await import("../../graphs/agent/ledger.ts");
  for (const [name, price] of Object.entries(usualPrices)) expect(priceOf(name, name, { prices: {} })).toEqual(price);
});
