import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { startTestService } from "../service.ts";

const { client, fetch, db } = await startTestService();

interface Task {
  id: string;
  status: string;
  agent: string | null;
  result: unknown;
  error: string | null;
  attempts: number;
  started_at: string | null;
  ended_at: string | null;
}

interface Plan {
  plan_id: string;
  status: string;
  progress: Record<string, number>;
  ready: string[];
  blocked: string[];
  aggregate: { complete: boolean; results: { id: string; result: unknown }[]; failed: object[]; missing: string[]; summary: string };
  subtasks: Task[];
  metadata: object;
}

const send = (method: string, path: string, body?: unknown) =>
  fetch(path, {
    method,
    ...(body !== undefined && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });

async function ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await send(method, path, body);
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return (text === "" ? undefined : JSON.parse(text)) as Answer;
}

/** Three subtasks: `b` needs `a`, and `c` needs both. */
const subtasks = [
  { id: "a", title: "First" },
  { id: "b", depends_on: ["a"] },
  { id: "c", depends_on: ["a", "b"] },
];
const create = (more: object = {}) => ask<Plan>("POST", "/plans", { type: "fan_out", title: "A plan", subtasks, ...more });
const get = (plan: Plan) => ask<Plan>("GET", `/plans/${plan.plan_id}`);
const path = (plan: Plan, task: string) => `/plans/${plan.plan_id}/tasks/${encodeURIComponent(task)}`;
const update = (plan: Plan, task: string, change: object) => ask<Task>("PATCH", path(plan, task), change);
const refused = async (plan: Plan, task: string, change: object) => {
  const response = await send("PATCH", path(plan, task), change);
  return `${response.status} ${await response.text()}`;
};

test("a plan is registered, updated and aggregated", async () => {
  const plan = await create({ metadata: { project: "x" } });
  expect(plan).toMatchObject({
    ...{ status: "pending", ready: ["a"], blocked: [], metadata: { project: "x" } },
    progress: { total: 3, pending: 3, running: 0, done: 0, failed: 0, skipped: 0, percent: 0 },
    aggregate: { complete: false, results: [], missing: ["a", "b", "c"], summary: "0 of 3 subtasks are done. Not finished: 3." },
  });

  expect(await update(plan, "a", { status: "running", agent: "worker 1" })).toMatchObject({ attempts: 1, ended_at: null });
  expect(await get(plan)).toMatchObject({ status: "running", ready: [] });
  const done = await update(plan, "a", { status: "done", result: { found: 3 } });
  expect(done).toMatchObject({ status: "done", agent: "worker 1", result: { found: 3 }, ended_at: expect.any(String) });
  expect(await get(plan)).toMatchObject({ status: "running", ready: ["b"], progress: { done: 1, percent: 33 } });

  await update(plan, "b", { status: "failed", error: "no access" });
  expect(await get(plan)).toMatchObject({
    ...{ status: "failed", ready: [], blocked: ["c"] },
    aggregate: {
      results: [{ id: "a", title: "First", agent: "worker 1", result: { found: 3 } }],
      failed: [{ id: "b", error: "no access" }],
      summary: "1 of 3 subtasks are done. Failed: b. Not finished: 1.",
    },
  });

  await update(plan, "b", { status: "running" }); // a second try
  await update(plan, "b", { status: "done", result: "ok" });
  await update(plan, "c", { status: "skipped" });
  expect(await get(plan)).toMatchObject({ status: "done", progress: { percent: 100 }, aggregate: { complete: true, missing: [] } });
});

test("dependencies are validated, and each problem names its path", async () => {
  const problems = async (tasks: object[]) => {
    const response = await send("POST", "/plans", { subtasks: tasks });
    expect(response.status).toBe(422);
    const { errors } = (await response.json()) as { errors: { field: string; message: string }[] };
    return errors.map(({ field, message }) => `${field}: ${message}`);
  };
  expect(await problems([{ id: "a", depends_on: ["b"] }])).toEqual([
    expect.stringMatching(/subtasks.*0.*depends_on.*0.*: there is no subtask "b"/),
  ]);
  expect(await problems([{ id: "a" }, { id: "a" }])).toEqual([expect.stringMatching(/subtasks.*1.*id: there is another subtask "a"/)]);
  expect(await problems([{ id: "a", depends_on: ["a"] }])).toEqual([expect.stringContaining("wait for each other: a → a")]);
  const circle = [{ id: "d" }, { id: "a", depends_on: ["c", "d"] }, { id: "b", depends_on: ["a"] }, { id: "c", depends_on: ["b"] }];
  expect(await problems(circle)).toEqual([expect.stringContaining("wait for each other: a → c → b → a")]);
  expect(await problems([])).toHaveLength(1);
});

test("a subtask cannot begin or be done before its dependencies, unless the change is forced", async () => {
  const plan = await create();
  const sentence =
    'Subtask "c" cannot become done, because it depends on "a" (pending), "b" (pending). Finish these first, or send force: true.';
  expect(await refused(plan, "c", { status: "done" })).toBe(`409 ${sentence}`);
  expect(await refused(plan, "b", { status: "running" })).toContain("cannot become running");
  await update(plan, "a", { status: "skipped" });
  await update(plan, "b", { status: "running" }); // a skipped dependency counts as done
  expect(await update(plan, "c", { status: "done", force: true })).toMatchObject({ status: "done" });
});

test("a subtask that is done changes only by force", async () => {
  const plan = await create();
  await update(plan, "a", { status: "done", result: 1 });
  expect(await refused(plan, "a", { status: "running" })).toBe(
    '409 Subtask "a" is done, so it cannot become running. It could from pending, failed, or with force.',
  );
  const again = await update(plan, "a", { status: "pending", force: true });
  expect(again).toMatchObject({ status: "pending", result: null, started_at: null, ended_at: null });
});

test("the same update again has no effect, and another outcome is refused", async () => {
  const plan = await create();
  const change = { status: "done", result: { n: 1, text: "nul \u0000" }, agent: "w" };
  const first = await update(plan, "a", change);
  expect(await update(plan, "a", change)).toEqual(first);
  expect(await update(plan, "a", { status: "done" })).toEqual(first);
  expect(await refused(plan, "a", { status: "done", result: { n: 2 } })).toBe('409 Subtask "a" is done already, with another outcome.');
});

test("of many agents that take a subtask at once, one gets it", async () => {
  const plan = await create();
  const agents = Array.from({ length: 10 }, (_, n) => `agent ${n}`);
  const answers = await Promise.all(agents.map((agent) => send("PATCH", path(plan, "a"), { status: "running", agent })));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(409)]);
  const [task] = (await get(plan)).subtasks;
  expect(task).toMatchObject({ status: "running", attempts: 1 });
  expect(await refused(plan, "a", { status: "running", agent: "late" })).toBe(
    `409 Subtask "a" is running with the agent "${task?.agent}".`,
  );
  expect(await update(plan, "a", { status: "running", agent: task?.agent, result: "half" })).toMatchObject({ attempts: 1, result: "half" });
});

test("callers who end different subtasks at once all succeed, and none waits for the lock of another for ever", async () => {
  const many = Array.from({ length: 20 }, (_, n) => ({ id: `t${n}`, depends_on: n < 10 ? [] : [`t${n - 10}`] }));
  const plan = await create({ subtasks: many });
  for (const half of [many.slice(0, 10), many.slice(10)])
    await Promise.all(half.map(({ id }) => update(plan, id, { status: "done", result: id })));
  expect(await get(plan)).toMatchObject({ status: "done", progress: { done: 20, percent: 100 } });
});

test("the results of a plan are limited, so that every plan can be read", async () => {
  const many = Array.from({ length: 20 }, (_, n) => ({ id: `t${n}` }));
  const plan = await create({ subtasks: many });
  const result = "x".repeat(999_000);
  const answers: number[] = [];
  for (const { id } of many) answers.push((await send("PATCH", path(plan, id), { status: "done", result })).status);
  expect(answers).toEqual([...Array(16).fill(200), ...Array(4).fill(413)]);
  expect((await send("PATCH", path(plan, "t19"), { status: "done", result: result + result })).status).toBe(422);
});

test("plans are listed by activity and type, paged and deleted", async () => {
  const type = `type ${randomUUID()}`;
  const [first, second] = [await create({ type }), await create({ type, subtasks: [{ id: "a" }] })];
  await update(second, "a", { status: "done" });
  const ids = async (query: string) =>
    (await ask<Plan[]>("GET", `/plans?type=${encodeURIComponent(type)}${query}`)).map(({ plan_id }) => plan_id);
  expect(await ids("")).toEqual([second.plan_id, first.plan_id]);
  expect(await ids("&active")).toEqual([first.plan_id]);
  expect(await ids("&active=false")).toEqual([second.plan_id]);
  const page = await send("GET", `/plans?type=${encodeURIComponent(type)}&limit=1`);
  expect(await page.json()).toMatchObject([{ plan_id: second.plan_id, status: "done", progress: { total: 1, done: 1, percent: 100 } }]);
  expect({ total: page.headers.get("x-pagination-total"), next: page.headers.get("x-pagination-next") }).toEqual({ total: "2", next: "1" });

  await ask("DELETE", `/plans/${first.plan_id}`);
  expect((await send("GET", `/plans/${first.plan_id}`)).status).toBe(404);
  expect((await send("DELETE", `/plans/${first.plan_id}`)).status).toBe(404);
  expect((await db.query("select from plan_tasks where plan_id = $1", [first.plan_id])).rowCount).toBe(0);
});

test("a plan may have an id of the caller's, which is taken then, and unknown plans and subtasks are not found", async () => {
  const planId = randomUUID();
  const plan = await create({ plan_id: planId });
  expect(plan.plan_id).toBe(planId);
  const twice = await send("POST", "/plans", { plan_id: planId, subtasks });
  expect({ status: twice.status, text: await twice.text() }).toEqual({
    status: 409,
    text: `There is a plan with the id ${planId} already.`,
  });
  expect(await refused(plan, "nobody/knows", { status: "done" })).toBe('404 The plan has no subtask "nobody/knows".');
  expect(await refused({ ...plan, plan_id: randomUUID() }, "a", { status: "done" })).toBe("404 Plan not found");
});

test("a thread without a ledger has no plan", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "steps", { input: {} });
  const response = await send("GET", `/threads/${threadId}/plan`);
  expect({ status: response.status, text: await response.text() }).toEqual({ status: 404, text: expect.stringContaining("has no plan") });
});
