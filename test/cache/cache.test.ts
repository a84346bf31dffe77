import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { sweepEntries } from "../../src/cache/entries.ts";
import { transaction } from "../../src/db/sql.ts";
import { surveyRemoval } from "../../src/retention/survey.ts";
import { sweepOnce } from "../../src/retention/sweep.ts";
import { createDatabase } from "../database.ts";
import { startTestService } from "../service.ts";

const { client, db } = await startTestService();

interface Made {
  made: string;
  seen: string[];
}

const run = (input: object, graph = "caching") =>
  client.runs.wait(null, graph, { input: input as Record<string, unknown> }) as Promise<unknown> as Promise<Made>;
const made = async () =>
  (await db.query("select extract(epoch from expires_at - now()) / 86400 as days from cache_entries where namespace like '%make%'")).rows;

test("a node with a cache policy is not executed again for the same input, in whatever process and thread", async () => {
  const first = await run({ topic: "rivers", when: "now" });
  const again = await run({ topic: "rivers", when: "later" });
  const other = await run({ topic: "lakes", when: "now" });
  expect(again.made).toBe(first.made);
  expect(other.made).not.toBe(first.made);
});

test("a cached result returns Send objects and values that JSON lacks unchanged", async () => {
  const { seen } = await run({ topic: "seas" });
  expect(seen).toEqual(["seas on Map(1)", "seas on Set(2)"]);
  expect((await run({ topic: "seas" })).seen).toEqual(seen);
});

test("a graph does not see cached results of another graph or of another version", async () => {
  const first = await run({ topic: "fens" });
  expect((await run({ topic: "fens" }, "caching-too")).made).not.toBe(first.made);
  await db.query("update cache_entries set scope = replace(scope, '@', '@older')");
  expect((await run({ topic: "fens" })).made).not.toBe(first.made);
});

test("a policy without an end ends after thirty days, and what is very large is not kept", async () => {
  await db.query("delete from cache_entries");
  await run({ topic: "bays" });
  expect(Number((await made())[0]?.days)).toBeCloseTo(30, 1);
  await db.query("delete from cache_entries");
  expect((await run({ topic: "x".repeat(1_100_000) })).made).toBeTruthy();
  expect(await made()).toEqual([]);
});

test("expired results are swept in small batches, and the rest stays", async () => {
  const alone = new pg.Pool({ connectionString: await createDatabase(), max: 2 }); // no service sweeps this database
  onTestFinished(() => alone.end());
  const insert =
    "insert into cache_entries select 's', 'n', n, 'json', '1', now() + n * interval '1 minute' from generate_series(-2, 1) as n";
  await alone.query(insert);
  expect((await surveyRemoval(alone, {})).cacheEntries).toBe(3);
  expect(await transaction(alone, (tx) => sweepEntries(tx, 1))).toBe(1);
  expect(await sweepOnce(alone)).toMatchObject({ cacheEntries: 2, more: false });
  expect((await alone.query("select key from cache_entries")).rows).toEqual([{ key: "1" }]);
});
