import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import type pg from "pg";
import { migrate } from "../../src/db/migrate.ts";
import { openPool } from "../../src/db/pool.ts";
import { claimRuns } from "../../src/runs/claim.ts";
import type { LimitValues } from "../../src/runs/limit-values.ts";
import { overrideLimit } from "../../src/runs/limits.ts";
import { type Figure, median, ratio } from "../measured.ts";
import type { Part } from "../parts.ts";

const lengths = [100, 10_000, 100_000];
const keys = 1_000;
const slots = 10;

/** Measures how long a claim takes while many runs of 1,000 keys wait, without limits and with limits. */
export const measureQueue: Part = async (stage, { quick }) => {
  const queues = await Promise.all(lengths.map(async (length) => ({ length, pool: await fill(await stage.createDatabase(), length) })));
  const rounds = quick ? 60 : 300;
  const rows: Record<string, Figure[]> = {};
  for (const [name, limit] of Object.entries(limits)) {
    for (const { pool } of queues) if (limit) await setLimit(pool, limit);
    if (name === half) for (const { pool, length } of queues) await fillHalf(pool, length);
    const times = await inTurns(queues, rounds, limit !== undefined);
    rows[name] = times;
    rows[`${name}, ratio to ${lengths[0]} runs`] = times.map((time) => ratio(time, times[0]));
  }
  for (const { pool } of queues) await pool.end();
  const columns = lengths.map((length) => `${length.toLocaleString("en")} runs wait`);
  return { tables: [{ title: `a claim of ${slots} runs, milliseconds (medians of ${rounds} in turns)`, columns, rows }] };
};

const half = "half of the keys are full";

/** The limits to measure, by the name of the row. */
const limits = {
  "no limits": undefined,
  "limits with room": { total: 1_000_000, per_key: 1_000_000 },
  [half]: { total: 1_000_000, per_key: 1 },
};

/** Sets the limit, and creates the rows of all keys, as their first claims would. */
async function setLimit(pool: pg.Pool, limit: LimitValues): Promise<void> {
  await overrideLimit(pool, "g", limit);
  await pool.query("insert into limit_slots (name, key) select distinct 'g', queue_key from runs on conflict do nothing");
  await pool.query("vacuum analyze limit_slots");
}

/** Creates a database with a queue of this length. Its runs have the ranks that `POST /runs` would give them. */
async function fill(url: string, length: number): Promise<pg.Pool> {
  const pool = openPool({ url, size: 2, onError: console.error });
  await migrate(pool);
  await pool.query("insert into assistants (assistant_id, graph_id, name) values (gen_random_uuid(), 'g', 'g')");
  await pool.query("insert into workers (worker_id, lock_key, host, pid) values ($1, 1, 'here', 1)", [workerId]);
  await pool.query("insert into threads (thread_id) select gen_random_uuid() from generate_series(1, $1::integer)", [length]);
  await pool.query(
    `insert into runs (run_id, thread_id, assistant_id, graph_id, multitask_strategy, metadata, kwargs, events_kept_secs, queue_key, rank)
     select gen_random_uuid(), thread_id, assistant_id, 'g', 'enqueue', '{}', '{"config": {}}', 60, 'key ' || n % $1::integer,
            extract(epoch from now()) + 60 * (n / $1::integer)
       from (select thread_id, row_number() over () as n from threads) t, assistants`,
    [keys],
  );
  await pool.query("vacuum analyze");
  return pool;
}

const workerId = randomUUID();

const claimFrom = (pool: pg.Pool, isLimited: boolean) =>
  claimRuns(pool, workerId, { graphs: ["g"], slots, suspects: 1, maxCrashes: 3, isLimited });

/** Puts claimed runs back into the queue, behind the next run of each key. A trigger gives their slots back. */
const putBack = (pool: pg.Pool, claims: { runId: string }[]) =>
  pool.query("update runs set status = 'pending', worker_id = null, rank = rank + 60 where run_id = any($1)", [
    claims.map(({ runId }) => runId),
  ]);

/** Lets half of the keys fill their only slot. Then claims until all waiting runs of these keys are parked, which happens once for a run. */
async function fillHalf(pool: pg.Pool, length: number): Promise<void> {
  const wanted = Math.min(keys, length) / 2;
  for (let running = 0; running < wanted; ) running += (await claimFrom(pool, true)).claims.length;
  for (let quiet = 0; quiet < 20; ) {
    const { claims, parked } = await claimFrom(pool, true);
    await putBack(pool, claims);
    quiet = parked === 0 ? quiet + 1 : 0;
  }
  await pool.query("vacuum analyze runs, limit_slots");
}

/** Claims from each queue in turns, and returns the median time for each. The claimed runs go back to the queue, so that it keeps its length. */
async function inTurns(queues: { pool: pg.Pool }[], rounds: number, isLimited: boolean): Promise<(number | undefined)[]> {
  const times: number[][] = queues.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, { pool }] of queues.entries()) {
      const started = performance.now();
      const { claims } = await claimFrom(pool, isLimited);
      times[index]?.push(performance.now() - started);
      await putBack(pool, claims);
    }
  }
  return times.map((list) => median(list.slice(Math.floor(rounds / 10))));
}
