import { afterEach, expect, test } from "vitest";
import { scopeOf } from "../../src/auth/filter.ts";
import { systemAssistantId } from "../../src/db/ids.ts";
import { everything } from "../../src/db/scope.ts";
import { type RunSearch, searchRuns } from "../../src/runs/search-runs.ts";
import { countBlocks } from "../count-blocks.ts";
import { startTestService } from "../service.ts";

const { client, db, fetch } = await startTestService({ ENSEMBLE_ROLE: "api" });
afterEach(() => db.query("truncate threads cascade"));

const page = { limit: 10, offset: 0 };

/** Stores threads with one run each, which has ended. One run in a thousand failed, and one thread in a thousand is rare's. */
async function insertEndedRuns(amount: number): Promise<void> {
  await db.query(
    `with made as (
       insert into threads (thread_id, metadata, created_at)
       select gen_random_uuid(), json_build_object('n', n, 'owner', case when n % 1000 = 1 then 'rare' when n > $1::integer - 1000 then 'recent' else 'x' end),
              now() - make_interval(secs => n)
         from generate_series(1, $1::integer) n returning thread_id, metadata, created_at)
     insert into runs (run_id, thread_id, assistant_id, graph_id, status, multitask_strategy, metadata, kwargs, events_kept_secs, created_at, updated_at, ended_at, error)
     select gen_random_uuid(), thread_id, $2, case when made.n % 100 = 0 then 'rare' else 'steps' end,
            case when made.n % 1000 = 0 then 'error' else 'success' end::run_status, 'enqueue', metadata, '{"input": null}', 60,
            created_at, created_at, now(), case when made.n % 1000 = 0 then '{"message": "It failed."}'::json end
       from (select *, (metadata ->> 'n')::integer as n from made) made`,
    [amount, systemAssistantId("steps")],
  );
  await db.query("vacuum analyze threads, runs");
}

const runSearches: [name: string, filter: Partial<RunSearch>, owner?: string][] = [
  ["the newest", {}],
  ["the last changed", { sort_by: "updated_at" }],
  ["the failed", { status: ["error", "timeout"] }],
  ["the running", { status: ["running"] }],
  ["a rare graph's", { graph_id: "rare" }],
  ["rare by metadata", { metadata: { n: 1_234 } }],
  ["of a long ago hour", { created_until: new Date(Date.now() - 1_800_000) }],
];

test("a page of runs touches as little among 40,000 runs as among 4,000, whatever it asks for", async () => {
  const { touched, explained } = await countBlocks(db);
  const measure = async (runs: number) => {
    await db.query("truncate threads cascade");
    await client.assistants.search({ limit: 1 });
    await insertEndedRuns(runs);
    const blocks: Record<string, number> = {};
    for (const [name, filter] of runSearches) {
      touched.blocks = 0;
      await searchRuns(explained, everything, { ...page, ...filter });
      blocks[name] = touched.blocks;
    }
    touched.blocks = 0;
    await searchRuns(explained, scopeOf({ owner: "nobody" }), page);
    return { ...blocks, "of a user without runs": touched.blocks };
  };
  const [few, many] = [await measure(4_000), await measure(40_000)];
  const noise = 1_000; // a count reads up to 10,000 rows, and a walk checks up to 1,000 threads
  for (const [name, blocks] of Object.entries(few))
    expect({ name, blocks: many[name as keyof typeof many] < 3 * blocks + noise }).toEqual({ name, blocks: true });
});

const sameFilters: [search: Partial<RunSearch>, condition: string][] = [
  [{}, "true"],
  [{ status: ["error", "success"] }, "true"],
  [{ status: ["error"] }, "status = 'error'"],
  [{ metadata: { n: 1_234 } }, "runs.metadata ->> 'n' = '1234'"],
  [{ graph_id: "rare", error: "FAILED" }, "graph_id = 'rare' and error is not null"],
];
const orders = (["created_at", "updated_at"] as const).flatMap((sort_by) =>
  (["asc", "desc"] as const).flatMap((sort_order) => [0, 7].map((offset) => ({ sort_by, sort_order, offset }))),
);

test.each([undefined, "rare", "recent", "x"])(
  "a page of runs is the same whether many match or few, in every order (owner: %s)",
  async (owner) => {
    await client.assistants.search({ limit: 1 });
    await insertEndedRuns(3_000);
    const scope = owner === undefined ? everything : scopeOf({ owner });
    for (const [filter, condition] of sameFilters)
      for (const { sort_by, sort_order, offset } of orders) {
        const { rows } = await db.query(
          `select run_id from runs join threads using (thread_id) where ${condition} and ($1::text is null or threads.metadata ->> 'owner' = $1)
          order by runs.${sort_by} ${sort_order}, seq ${sort_order} limit 10 offset ${offset}`,
          [owner ?? null],
        );
        const found = await searchRuns(db, scope, { ...page, ...filter, sort_by, sort_order, offset });
        expect(found.rows.map(({ run_id }) => run_id)).toEqual(rows.map(({ run_id }) => run_id));
      }
  },
);

test("more than 10,000 runs are estimated, and counted when the exact number is asked for", async () => {
  await client.assistants.search({ limit: 1 });
  await insertEndedRuns(12_345);
  const totals = async (body: object) => {
    const request = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const { headers } = await fetch("/runs/search", request);
    return [headers.get("x-pagination-total"), headers.get("x-pagination-total-estimated")];
  };
  expect(await totals({})).toEqual([expect.stringMatching(/^1\d{4}$/), "true"]);
  expect(await totals({ exact: true })).toEqual(["12345", null]);
});
