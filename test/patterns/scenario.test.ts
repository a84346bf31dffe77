import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test, vi } from "vitest";
import type { ScenarioProgress } from "../../graphs/scenario/progress.ts";
import { collect } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();

interface Compared {
  progress: Record<string, ScenarioProgress>;
  syncs: { percent: number; members: { scenario: string; percent: number; arrived: boolean; waitedMs: number; status: string }[] }[];
  report: {
    comparison: { rows: { label: string; status: string; items: number }[]; scaling: { class: string } | null };
    recommendation: { label: string } | null;
    gaps: string[];
  };
  ledger: { agent: string; outcome: string }[];
  __error__?: { error: string; message: string };
}

const run = (input: Record<string, unknown>, context?: Record<string, unknown>, threadId: string | null = null) =>
  client.runs.wait(threadId as string, "scenario", {
    input,
    ...(context && { context }),
    raiseError: false,
  }) as Promise<unknown> as Promise<Compared>;

/** An endpoint for load tests, which can be told to misbehave. */
const hits: string[] = [];
let answer = (_probe: number, respond: (status: number) => void) => respond(200);
const target = createServer((request, response) => {
  const url = new URL(request.url ?? "", "http://localhost");
  hits.push(`${url.pathname} ${url.searchParams.get("probe")}`);
  answer(Number(url.searchParams.get("probe")), (status) => response.writeHead(status).end("ok"));
});
await once(target.listen(0, "127.0.0.1"), "listening");
afterAll(() => {
  target.closeAllConnections();
  target.close();
});
const address = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
const allowHosts = (...hosts: string[]) => vi.stubEnv("ENSEMBLE_PATTERN_HOSTS", [new URL(address).host, "127.0.0.1:1", ...hosts].join(","));
allowHosts();
const loading = (name: string, difficulty: string, inputSize: number, more: object = {}) => ({
  name,
  difficulty,
  inputSize,
  batchSize: 2,
  skillParams: { targets: [`${address}/${name}`], requests: 2, connections: 1 },
  ...more,
});
const small = (name: string, difficulty: string, inputSize: number) => ({ name, difficulty, inputSize, batchSize: 5 });
const trio = [small("simple", "easy", 10), small("medium", "intermediate", 20), small("complex", "advanced", 30)];

test("with nothing at all it compares three difficulties, and recommends one", async () => {
  const { progress, report } = await run({});
  expect(Object.values(progress).map(({ status, percent }) => [status, percent])).toEqual(
    Array.from({ length: 3 }, () => ["complete", 100]),
  );
  expect(report.comparison.rows.map(({ label, items }) => [label, items])).toEqual([
    ["simple", 100],
    ["medium", 200],
    ["complex", 300],
  ]);
  expect(report.comparison.scaling?.class).toMatch(/linear/);
  expect(["simple", "medium", "complex"]).toContain(report.recommendation?.label);
  expect(progress.simple?.measures.comparisons).toBeLessThan((progress.complex?.measures.comparisons ?? 0) / 8); // quadratic: 9 times
});

test("what the seed fixes is the same in every run, and another seed is another world", async () => {
  const [one, two, other] = await Promise.all([7, 7, 8].map((seed) => run({ skill: "security-scanning", scenarios: trio, seed })));
  const measured = ({ progress }: Compared) => Object.values(progress).map(({ measures, scores }) => ({ measures, scores }));
  expect(measured(one!)).toEqual(measured(two!));
  expect(measured(one!)).not.toEqual(measured(other!));
  expect(one!.progress.complex).toMatchObject({ measures: { files: 30 }, scores: { coverage: 1 } });
  expect(one!.progress.complex?.scores.recall).toBeGreaterThan(0.5);
});

test("a scan finds what is planted in files of the caller's own", async () => {
  const content = ["const total = 1;", 'await db.query("select * from users where id = " + id);', 'os.system("rm " + name)'].join("\n");
  const scenarios = [{ ...small("mine", "easy", 5), skillParams: { files: [{ path: "a.ts", content }] } }];
  const { progress } = await run({ skill: "security-scanning", scenarios });
  expect(progress.mine).toMatchObject({ status: "complete", items: 1, totalItems: 1, measures: { findings: 2 } });
  expect(progress.mine?.results).toMatchObject([
    {
      findings: [
        { line: 2, rule: "composed-sql" },
        { line: 3, rule: "composed-command" },
      ],
    },
  ]);

  const elsewhere = [{ ...small("theirs", "easy", 5), skillParams: { directory: "/etc" } }];
  const refused = await run({ skill: "security-scanning", scenarios: elsewhere }, { batchRetries: 0 });
  expect(refused.__error__?.message).toContain("may not be read");
});

test("a directory is scanned but for what is no text, and not beyond where links lead", async () => {
  const place = await mkdtemp(join(tmpdir(), "scan-"));
  onTestFinished(() => rm(place, { recursive: true }));
  for (const name of ["code/deep", "outside"]) await mkdir(join(place, name), { recursive: true });
  const leak = 'os.system("rm " + name)';
  for (const name of ["code/a.py", "code/deep/b.py", "outside/d.py"]) await writeFile(join(place, name), leak);
  await writeFile(join(place, "code/image"), `\0${leak}`);
  await symlink(join(place, "outside"), join(place, "code/link"));
  await symlink(join(place, "outside/d.py"), join(place, "code/link.py"));
  const scenarios = [{ ...small("mine", "easy", 9), batchSize: 1, skillParams: { directory: join(place, "code") } }];
  vi.stubEnv("ENSEMBLE_PATTERN_DIRECTORIES", place);
  const { progress } = await run({ skill: "security-scanning", scenarios });
  expect(progress.mine).toMatchObject({ status: "complete", measures: { files: 2, findings: 2 } });
  expect(progress.mine?.results).toMatchObject([{ path: "a.py" }, { path: "deep/b.py" }]);
});

test("a file of one long line holds nobody up", async () => {
  const content = `const a = 1;\nquery("${"select ".repeat(100_000)}`;
  const scenarios = [{ ...small("long", "easy", 5), skillParams: { files: [{ path: "a.ts", content }] } }];
  const { progress } = await run({ skill: "security-scanning", scenarios });
  expect(progress.long).toMatchObject({ status: "complete", items: 1 });
});

test("load is real: every endpoint is called as often as was said, and a bad one costs quality", async () => {
  hits.length = 0;
  answer = (probe, respond) => respond(probe === 0 ? 500 : 200);
  const scenarios = [loading("few", "easy", 2), loading("many", "advanced", 6)];
  const { progress, report } = await run({ skill: "performance-testing", scenarios });
  expect(hits.filter((hit) => hit.startsWith("/many "))).toHaveLength(12);
  expect(progress.many?.measures).toMatchObject({ requests: 12, errorRate: 2 / 12 });
  expect(progress.few).toMatchObject({ scores: { reliability: 0 } });
  expect(report.gaps).toContainEqual(expect.stringContaining("few: quality"));
  expect(progress.many?.measures.p99Ms).toBeGreaterThan(0);
});

test("without targets the service loads itself, and other machines are not loaded unless the operator allows it", async () => {
  const scenarios = [{ ...small("self", "easy", 2), skillParams: { requests: 2 } }];
  expect((await run({ skill: "performance-testing", scenarios })).progress.self).toMatchObject({
    status: "complete",
    measures: { errorRate: 0 },
  });
  const others = [{ ...small("other", "easy", 2), skillParams: { targets: ["http://192.0.2.1/"] } }];
  const refused = await run({ skill: "performance-testing", scenarios: others }, { batchRetries: 0 });
  expect(refused.__error__).toMatchObject({ error: "AllScenariosFailedError", message: expect.stringContaining("ENSEMBLE_PATTERN_HOSTS") });
});

test("a failing batch is tried again, then its items count as failed; siblings go on", async () => {
  hits.length = 0;
  const stubborn = createServer((request) => request.socket.destroy());
  await once(stubborn.listen(0, "127.0.0.1"), "listening");
  const dead = `http://127.0.0.1:${(stubborn.address() as AddressInfo).port}/`;
  allowHosts(new URL(dead).host);
  const scenarios = [
    loading("fine", "easy", 4),
    { ...loading("broken", "intermediate", 4), errorTolerance: 0.5, skillParams: { targets: [dead], requests: 1, connections: 1 } },
  ];
  answer = (_probe, respond) => respond(200);
  const { progress, report } = await run({ skill: "performance-testing", scenarios }, { batchRetries: 2, retryDelayMs: 1 });
  stubborn.close();
  expect(progress.fine).toMatchObject({ status: "complete", errors: [] });
  expect(progress.broken).toMatchObject({ status: "failed", failedItems: 4, batches: 2, reason: "4 of 4 items failed" });
  expect(progress.broken?.errors).toHaveLength(6); // three tries of two batches
  expect(progress.broken?.history.filter(({ reason }) => reason === "waiting_for_recovery")).toHaveLength(4);
  expect(report.gaps).toEqual([expect.stringContaining("broken: failed")]);
});

test("over its time budget a scenario has failed with what it had, and its siblings go on", async () => {
  answer = (probe, respond) => (probe < 2 ? respond(200) : undefined); // after that, the endpoint does not respond
  const scenarios = [
    { ...loading("late", "easy", 4), timeBudgetSeconds: 1, skillParams: { targets: [`${address}/late`], requests: 1, connections: 1 } },
    loading("quick", "intermediate", 2),
  ];
  const { progress, report } = await run({ skill: "performance-testing", scenarios });
  expect(progress.late).toMatchObject({ status: "failed", reason: "timeout", items: 2, percent: 50 });
  expect(progress.quick).toMatchObject({ status: "complete" });
  expect(report.comparison.rows).toMatchObject([{ label: "late", status: "timeout", items: 2 }, { status: "success" }]);
});

test("when all fail they are begun once more with half of it, and then the run ends with each one's diagnosis", async () => {
  hits.length = 0;
  answer = (_probe, respond) => respond(200);
  const scenarios = ["one", "two"].map((name) => ({
    ...loading(name, "easy", 4),
    skillParams: { targets: ["http://127.0.0.1:1/"], requests: 1 },
  }));
  const { thread_id: threadId } = await client.threads.create();
  const { __error__: error } = await run({ skill: "performance-testing", scenarios }, { batchRetries: 0 }, threadId);
  expect(error?.message).toMatch(/one: 1 of 2 items failed.*two: 1 of 2 items failed/);
  const { values } = await client.threads.getState<Compared & { halved: boolean }>(threadId);
  expect(values).toMatchObject({ halved: true, progress: { one: { totalItems: 2, status: "failed" } } });
});

test("in milestone mode they wait for each other at each milestone, and it is written down who waited", async () => {
  const { syncs, progress } = await run({ mode: "milestone", scenarios: trio }, { milestones: [50] });
  expect(syncs.map(({ percent }) => percent)).toEqual([50, 100]);
  expect(syncs[0]?.members).toMatchObject(["simple", "medium", "complex"].map((scenario) => ({ scenario, arrived: true, percent: 50 })));
  expect(syncs[0]?.members.map(({ waitedMs }) => waitedMs >= 0)).toEqual([true, true, true]);
  expect(progress.simple?.history.map(({ to, reason }) => `${to}: ${reason}`)).toEqual([
    "running: started",
    "paused: sync_point",
    "running: synchronised",
    "complete: all items were worked on",
  ]);
});

test("one that is slow is not waited for beyond the join's deadline, and goes on in the next stretch", async () => {
  const scenarios = [loading("quick", "easy", 4), loading("slow", "intermediate", 40)];
  answer = (probe, respond) => void setTimeout(() => respond(200), probe > 4 && probe < 30 ? 100 : 0);
  const { syncs, progress } = await run(
    { skill: "performance-testing", mode: "milestone", scenarios },
    { milestones: [70], syncWaitSeconds: 0.2 },
  );
  expect(syncs[0]?.members).toMatchObject([
    { scenario: "quick", arrived: true, percent: 100 },
    { scenario: "slow", arrived: false, status: "paused" },
  ]);
  expect(syncs[0]?.members[1]?.percent).toBeLessThan(70);
  expect(progress.slow).toMatchObject({ status: "complete", percent: 100 });
});

test("in lockstep they meet after every batch, and one that is over is not waited for", async () => {
  const { syncs } = await run({ mode: "lockstep", scenarios: [small("short", "easy", 5), small("long", "advanced", 15)] });
  expect(syncs.map(({ members }) => members.map(({ percent }) => percent))).toEqual([
    [100, 33],
    [100, 66],
    [100, 100],
  ]);
  expect(syncs[2]?.members[0]).toMatchObject({ status: "complete", waitedMs: 0 });
});

test("the echo agent calls the model for every item, and the ledger says for which scenario", async () => {
  model.respond((messages) => ({ json: { text: /Input:\\n(.+?)"/.exec(messages)?.[1] ?? "nothing" } }));
  const scenarios = [small("few", "easy", 2), small("more", "intermediate", 4)];
  const { progress, ledger } = await run({ skill: "echo-agent", scenarios });
  expect(model.requests).toHaveLength(6);
  expect(ledger.map(({ agent }) => agent).sort()).toEqual([...Array(2).fill("few/echo"), ...Array(4).fill("more/echo")]);
  expect(progress.few).toMatchObject({ scores: { fidelity: 1 }, measures: { answers: 2 } });
  const stopped = await run({ skill: "echo-agent", scenarios: [small("dear", "easy", 20)] }, { budget: { tokens: 1 } });
  expect(stopped.__error__).toMatchObject({ error: "BudgetExceededError" });
});

test("a second run on the thread begins anew, and everything can be followed", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await run({ scenarios: trio }, undefined, threadId);
  const events = await collect(
    client.runs.stream(threadId, "scenario", { input: { scenarios: trio.slice(0, 1) }, streamMode: ["custom"] }),
  );
  const seen = events
    .filter(({ event }) => event === "custom")
    .map(({ data }) => data as { type: string; scenario?: string; percent?: number });
  expect(seen.filter(({ type }) => type === "milestone").map(({ percent }) => percent)).toEqual([30, 50, 70, 90, 100]);
  expect(new Set(seen.map(({ type }) => type))).toEqual(new Set(["plan", "state", "milestone", "batch", "report"]));
  const { values } = await client.threads.getState<Compared>(threadId);
  expect(Object.keys(values.progress)).toEqual(["simple"]);
  expect(values.syncs).toHaveLength(1);
});

test("a budget holds for siblings and within a batch", async () => {
  model.respond(() => ({ json: { text: "again" } }));
  const scenarios = ["one", "two", "three"].map((name) => ({ name, inputSize: 20, batchSize: 20 }));
  const stopped = await run({ skill: "echo-agent", scenarios }, { budget: { tokens: 6 }, limits: { parallel: 2 } });
  expect(stopped.__error__).toMatchObject({ error: "BudgetExceededError" });
  expect(model.requests.length).toBeLessThan(20); // a call costs 2 tokens: three calls, and those that were in flight
});

test("a pause before another try is no longer than the time that is left", async () => {
  const scenarios = [
    { ...loading("dead", "easy", 2), timeBudgetSeconds: 0.5, skillParams: { targets: ["http://127.0.0.1:1/"], requests: 1 } },
    loading("fine", "easy", 2),
  ];
  answer = (_probe, respond) => respond(200);
  const { progress } = await run({ skill: "performance-testing", scenarios }, { retryDelayMs: 60_000 });
  expect(progress.dead).toMatchObject({ status: "failed", reason: "timeout", items: 0 });
  expect(progress.fine).toMatchObject({ status: "complete" });
});

test("what would be too many batches or requests is said before anything is done", async () => {
  const batches = await run({ scenarios: [{ name: "many", inputSize: 10_000, batchSize: 1 }] });
  expect(batches.__error__?.message).toContain("10000 batches; 200 are the most");
  const requests = [{ ...loading("many", "easy", 100), batchSize: 50, skillParams: { targets: [address], requests: 10_000 } }];
  expect((await run({ skill: "performance-testing", scenarios: requests }, { batchRetries: 0 })).__error__?.message).toContain(
    "more than 100000",
  );
});

test("what was spent before a cancel counts when the scenario goes on", async () => {
  let calls = 0;
  model.respond(() => (++calls === 3 ? { hang: true } : { json: { text: "again" } }));
  const context = { budget: { tokens: 7 }, limits: { parallel: 1 } }; // a call costs 2 tokens, so four calls exceed the budget
  const { thread_id: threadId } = await client.threads.create();
  const input = { skill: "echo-agent", scenarios: [{ name: "dear", inputSize: 6, batchSize: 2 }] };
  const { run_id: runId } = await client.runs.create(threadId, "scenario", { input, context });
  await expect.poll(() => calls).toBe(3);
  await client.runs.cancel(threadId, runId, true);
  const resumed = await client.runs.wait(threadId, "scenario", { input: null, context, raiseError: false });
  expect(resumed).toMatchObject({ __error__: { error: "BudgetExceededError" } });
  expect(calls).toBe(5);
});
