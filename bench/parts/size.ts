import { statfs } from "node:fs/promises";
import { migrate } from "../../src/db/migrate.ts";
import { openPool } from "../../src/db/pool.ts";
import { connectTo } from "../client.ts";
import { type Figure, median } from "../measured.ts";
import type { Part } from "../parts.ts";
import { type Cost, explain } from "../size/explain.ts";
import { fill, type Size } from "../size/fill.ts";
import { rebuildIndexes } from "../size/indexes.ts";
import { statements } from "../size/statements.ts";
import type { Stage } from "../stage.ts";

const each = { runsAThread: 5, checkpointsARun: 5 };
const small: Size = { ...each, threads: 10_000, queued: 2_500, temporary: 2_000, webhooks: 10_000 };
const large: Size = { ...each, threads: 200_000, queued: 50_000, temporary: 20_000, webhooks: 200_000 };
const quickLarge: Size = { ...each, threads: 50_000, queued: 12_500, temporary: 5_000, webhooks: 50_000 };
const rounds = 5;
/** A statement whose cost in the large database is this many times as high counts as growing with its table. */
const mostTimes = 3;
/**
 * Statements that count open runs or check a fixed number of them. Their cost has an upper limit, which only the large database reaches.
 */
const bounded = ["metrics: queue", "sweep: temporary threads"];
/** A cost difference below this is noise, or comes from the depth of an index. */
const noise: Cost = { ms: 1, blocks: 50 };

/** Measures each frequent statement in a small and in a large database. */
export const measureSize: Part = async (stage, { quick }) => {
  const before = await freeBytes(stage);
  const few = await measureDatabase(stage, small);
  const many = await measureDatabase(stage, quick ? quickLarge : large);
  const rows: Record<string, Figure[]> = {};
  const grown: string[] = [];
  for (const [name, { ms, blocks }] of Object.entries(many.costs)) {
    const of = few.costs[name] as Cost;
    rows[name] = [of.ms, ms, of.blocks, blocks];
    if (!bounded.includes(name) && isGrown(of, { ms, blocks })) grown.push(name);
  }
  const builds = Object.fromEntries(Object.entries(many.indexes).map(([name, took]) => [name, [few.indexes[name] ?? 0, took]]));
  const gigabytes = ((before - (await freeBytes(stage))) / 1024 ** 3).toFixed(1);
  return {
    tables: [
      { title: "statements (medians)", columns: ["ms, small", "ms, large", "blocks, small", "blocks, large"], rows },
      { title: "indexes that an upgrade builds while workers run", columns: ["seconds, small", "seconds, large"], rows: builds },
    ],
    notes: [
      `There are ${openRuns(small)} and ${openRuns(quick ? quickLarge : large)} open runs. These count or check a limited number of them: ${bounded.join(", ")}.`,
      `small: ${describe(small)}; large: ${describe(quick ? quickLarge : large)}. Both take ${gigabytes} GB and were filled in ${Math.round(few.seconds + many.seconds)} s.`,
      grown.length === 0
        ? `No other statement costs more than ${mostTimes} times as much in the large one.`
        : `They grow with the database: ${grown.join(", ")}.`,
    ],
  };
};

const isGrown = (few: Cost, many: Cost) =>
  (["ms", "blocks"] as const).some((unit) => many[unit] > mostTimes * few[unit] && many[unit] > noise[unit]);

const openRuns = ({ queued, temporary }: Size) => queued + temporary;

const describe = ({ threads, runsAThread, checkpointsARun }: Size) =>
  `${threads} threads, ${threads * runsAThread} runs, ${threads * runsAThread * checkpointsARun} checkpoints`;

interface MeasuredDatabase {
  /** The seconds that it took to fill the database. */
  seconds: number;
  costs: Record<string, Cost>;
  /** The seconds to build each index. */
  indexes: Record<string, number>;
}

async function measureDatabase(stage: Stage, size: Size): Promise<MeasuredDatabase> {
  const url = await stage.createDatabase();
  const pool = openPool({ url, size: 2, onError: console.error });
  await migrate(pool);
  await pool.end();
  const client = await connectTo(url);
  const started = performance.now();
  await fill(client, size);
  const seconds = (performance.now() - started) / 1000;
  const costs: Record<string, Cost> = {};
  for (const [name, work] of Object.entries(statements)) costs[name] = await measureStatement(() => explain(client, work));
  const indexes = await rebuildIndexes(client);
  await client.end();
  return { seconds, costs, indexes };
}

async function measureStatement(once: () => Promise<Cost>): Promise<Cost> {
  await once(); // reads the pages into memory first
  const costs: Cost[] = [];
  for (let round = 0; round < rounds; round++) costs.push(await once());
  return { ms: median(costs.map(({ ms }) => ms)) ?? 0, blocks: median(costs.map(({ blocks }) => blocks)) ?? 0 };
}

async function freeBytes({ home }: Stage): Promise<number> {
  const { bavail, bsize } = await statfs(home);
  return bavail * bsize;
}
