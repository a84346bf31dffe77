import { beforeEach, expect, test } from "vitest";
import type { Metrics } from "../../graphs/index.ts";
import type { ServiceStats } from "../../src/stats/service-stats.ts";
import { until } from "../command.ts";
import { startPatterns } from "../patterns/service.ts";

const { client, model, fetch } = await startPatterns();
beforeEach(() => model.script());

interface Failed {
  __error__: { message: string };
  metrics?: Metrics;
}
const post = async (path: string, body: object): Promise<Failed> =>
  (await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })).json();

const tasks = ["a", "b"].map((name) => ({ name, do: { agent: "helper", task: `do ${name}` } }));
const agents = [{ name: "helper", role: "a helper", retries: 0 }];
const context = { agents, merge: "byName", onFailures: "partial" };
const request = { assistant_id: "fan-out", input: { task: "t", tasks }, context };

test("a failed run has metrics in its output, and crosses the thresholds of its context", async () => {
  model.respond((messages) => (messages.includes("do b") ? { status: 400 } : { tokens: ["done"] }));
  const { thread_id } = await client.threads.create();
  const given = { ...request, context: { ...context, alerts: { failureRate: 0.4 } } };
  const { __error__, metrics } = await post(`/threads/${thread_id}/runs/wait`, given);
  expect(__error__.message).toContain("b");
  expect(metrics).toMatchObject({ agents: 1, calls: 2, failureRate: 0.5, byAgent: { helper: { calls: 2, failures: 1 } } });
  expect(metrics?.criticalPathMs).toBeGreaterThanOrEqual(0);
  const [run] = await client.runs.list(thread_id);
  expect(run?.status).toBe("error");
  expect(await (await fetch(`/threads/${thread_id}/runs/${run?.run_id}/join`)).json()).toMatchObject({ metrics });
  const stats = async (): Promise<ServiceStats> => (await fetch("/stats?graph=fan-out")).json();
  await until(async () => (await stats()).alerts.some(({ alert, active }) => alert === "failureRate" && active));
});

test("the metrics of a failed run have the calls of the step that failed", async () => {
  model.script({ status: 400 });
  const roster = [{ name: "security", role: "a reviewer", retries: 0 }];
  const { metrics } = await post("/runs/wait", { assistant_id: "supervisor", input: { task: "Do" }, context: { roster } });
  expect(metrics).toMatchObject({ calls: 1, failureRate: 1, byAgent: { supervisor: { calls: 1, failures: 1 } } });
});

test("a run that spends its budget has metrics", async () => {
  const { metrics, __error__ } = await post("/runs/wait", {
    ...request,
    context: { ...context, budget: { tokens: 1 }, limits: { parallel: 1 } },
  });
  expect(__error__.message).toMatch(/budget|tokens/);
  expect(metrics?.calls).toBeGreaterThanOrEqual(1);
});

test("a run that fails before its first step has no metrics, and in particular not those of the thread's earlier run", async () => {
  const { thread_id } = await client.threads.create();
  const path = `/threads/${thread_id}/runs/wait`;
  model.script({ status: 400 }, { status: 400 });
  for (const calls of [2, 2]) expect((await post(path, request)).metrics?.calls).toBe(calls);
  const unknown = { ...request, input: { task: "t", tasks: [{ name: "a", do: { agent: "nobody", task: "x" } }] } };
  const { __error__, metrics } = await post(path, unknown);
  expect(__error__.message).toContain('There is no agent "nobody"');
  expect(metrics).toBeUndefined();
});
