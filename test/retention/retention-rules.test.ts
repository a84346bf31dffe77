import { expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { readProject } from "../../src/registry/project.ts";
import { retentionRules } from "../../src/retention/retention-rules.ts";
import { makeProject, runCommand, until } from "../command.ts";
import { startTestService } from "../service.ts";

const { client, fetch, db, databaseUrl } = await startTestService();

async function threadWithHistory(): Promise<string> {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "steps", { input: { log: ["a"] } });
  return threadId;
}

test("a thread's time to live is set when it is made, changed, taken back, and copied with it", async () => {
  const ttlOf = async (threadId: string) =>
    (await db.query("select ttl_minutes, ttl_strategy from threads where thread_id = $1", [threadId])).rows[0];
  const send = (method: string, path: string, body: object) =>
    fetch(path, { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } });

  const { thread_id: threadId } = (await (await send("POST", "/threads", { ttl: 60 })).json()) as { thread_id: string };
  expect(await ttlOf(threadId)).toEqual({ ttl_minutes: 60, ttl_strategy: "delete" });
  await client.threads.update(threadId, { metadata: { a: 1 } });
  expect(await ttlOf(threadId)).toEqual({ ttl_minutes: 60, ttl_strategy: "delete" });
  await client.threads.update(threadId, { ttl: { ttl: 1.5, strategy: "keep_latest" } as never });
  const kept = { ttl_minutes: 1.5, ttl_strategy: "keep_latest" };
  expect(await ttlOf(threadId)).toEqual(kept);
  const copy = (await client.threads.copy(threadId)) as unknown as { thread_id: string };
  expect(await ttlOf(copy.thread_id)).toEqual(kept);
  await send("PATCH", `/threads/${threadId}`, { ttl: null });
  expect(await ttlOf(threadId)).toEqual({ ttl_minutes: null, ttl_strategy: null });
  expect(await client.threads.get(threadId)).toMatchObject({ metadata: { a: 1 } });
});

test("the common rule comes from the environment, or from the project file, which also says what it does and how often", async () => {
  const project = await makeProject({
    "graph.ts": "",
    "langgraph.json": {
      graphs: { a: "./graph.ts:graph" },
      checkpointer: { ttl: { strategy: "keep_latest", default_ttl: 43_200, sweep_interval_minutes: 10 } },
    },
    "wrong.json": { graphs: { a: "./graph.ts:graph" }, checkpointer: { ttl: { default_ttl: "soon" } } },
  });
  const { checkpointer } = await readProject(`${project}/langgraph.json`);
  expect(retentionRules(readConfig({}))).toEqual({ deadLetterDays: 30, planDays: 30, feedbackDays: 30, usageDays: 400 });
  expect(retentionRules(readConfig({}), { checkpointer })).toEqual({
    threadTtl: { minutes: 43_200, strategy: "keep_latest" },
    ttlSweepMinutes: 10,
    deadLetterDays: 30,
    planDays: 30,
    feedbackDays: 30,
    usageDays: 400,
  });
  const config = readConfig({ ENSEMBLE_THREAD_TTL_MINUTES: "90", ENSEMBLE_KEEP_CHECKPOINTS: "20" });
  expect(retentionRules(config)).toEqual({
    threadTtl: { minutes: 90, strategy: "delete" },
    keepCheckpoints: 20,
    deadLetterDays: 30,
    planDays: 30,
    feedbackDays: 30,
    usageDays: 400,
  });
  expect(retentionRules(config, { checkpointer }).threadTtl).toEqual({ minutes: 90, strategy: "keep_latest" });
  await expect(readProject(`${project}/wrong.json`)).rejects.toThrow("checkpointer.ttl.default_ttl");
  expect(() => readConfig({ ENSEMBLE_KEEP_CHECKPOINTS: "0" })).toThrow(/^ENSEMBLE_KEEP_CHECKPOINTS/);
});

test("a thread says when it expires, by its own time to live or by the common one, if it is asked", async () => {
  const other = await startTestService({ ENSEMBLE_THREAD_TTL_MINUTES: "90" });
  const ttlOf = async (service: typeof other, payload: Parameters<typeof client.threads.create>[0]) => {
    const { thread_id: threadId } = await service.client.threads.create(payload);
    const thread = await service.client.threads.get(threadId, { include: ["ttl"] });
    expect(await service.client.threads.get(threadId)).not.toHaveProperty("ttl");
    const { ttl, updated_at } = thread as typeof thread & { ttl?: { ttl_minutes: number; strategy: string; expires_at: string } };
    return ttl && { ...ttl, expires_at: (Date.parse(ttl.expires_at) - Date.parse(updated_at)) / 60_000 };
  };
  const own = { ttl: { ttl: 60, strategy: "keep_latest" as never } };
  expect(await ttlOf(other, own)).toEqual({ strategy: "keep_latest", ttl_minutes: 60, expires_at: 60 });
  expect(await ttlOf(other, {})).toEqual({ strategy: "delete", ttl_minutes: 90, expires_at: 90 });
  const plain = { client, fetch, db } as typeof other;
  expect(await ttlOf(plain, own)).toMatchObject({ ttl_minutes: 60 });
  expect(await ttlOf(plain, {})).toBeUndefined();
});

test("`ensemble prune` says with --dry-run what would go, and takes just that away without", async () => {
  const [old, long] = [await threadWithHistory(), await threadWithHistory()];
  await client.runs.wait(long, "steps", { input: {} });
  await db.query("update threads set updated_at = now() - interval '2 hours' where thread_id = $1", [old]);
  const exists = async (threadId: string) => (await fetch(`/threads/${threadId}`)).ok;
  const env = { DATABASE_URL: databaseUrl, ENSEMBLE_THREAD_TTL_MINUTES: "60", ENSEMBLE_KEEP_CHECKPOINTS: "2" };
  const prune = async (...options: string[]) => {
    const { code, stdout, stderr } = await runCommand(["prune", ...options], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout.split("\n").slice(0, 3);
  };
  const [, ...wouldGo] = await prune("--dry-run");
  expect(wouldGo[0]).toMatch(/^ {2}1 threads whose time/);
  expect(Number(/\d+/.exec(wouldGo[1] ?? "")?.[0])).toBeGreaterThanOrEqual(8);
  expect(await exists(old)).toBe(true);
  expect(await prune()).toEqual(["Removed:", ...wouldGo]);
  expect(await exists(old)).toBe(false);
  expect(await client.threads.getHistory(long)).toHaveLength(2);
  expect(await prune("--dry-run")).toEqual([
    "Would be removed now:",
    "  0 threads whose time to live is over",
    expect.stringMatching(/^ {2}0 /),
  ]);
});

test("`--dry-run` is not taken by a command that would do the real thing", async () => {
  const { code, stderr } = await runCommand(["migrate", "--dry-run"], { DATABASE_URL: databaseUrl });
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("--dry-run belongs to prune") });
});

test("the service does all that by itself", async () => {
  const service = await startTestService({ ENSEMBLE_THREAD_TTL_MINUTES: "0.05", ENSEMBLE_KEEP_CHECKPOINTS: "2" });
  const { thread_id: resting } = await service.client.threads.create();
  const { thread_id: kept } = await service.client.threads.create({ ttl: 60 });
  await service.client.runs.wait(kept, "steps", { input: {} });
  await until(async () => (await service.client.threads.getHistory(kept)).length === 2);
  await until(async () => (await service.fetch(`/threads/${resting}`)).status === 404);
});
