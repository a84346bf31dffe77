import { startService, startWorker, untilTrue } from "../contenders/service.ts";
import { LoadResult } from "../load/load.ts";
import { type Figure, middleOf, ratio, spreadOf } from "../measured.ts";
import type { Part } from "../parts.ts";
import type { ServerProcess } from "../process.ts";
import { playRound, type Round } from "../rounds.ts";
import type { Stage } from "../stage.ts";

const slots = 5; // so few that the machine's two cores do not limit four workers
const nodeMs = 200;
/** How long a new worker first executes runs that do not wait, in milliseconds. This lets it compile its code before the measurement. */
const warmUpMs = 2_000;
const counts = [1, 2, 4];
/**
 * Returns the sequence of worker counts to measure. The counts go up and down again, so that each is measured at about the same average
 * time.
 */
const sequenceOf = (quick: boolean) => (quick ? [1, 4, 1] : [1, 4, 2, 4, 1]);

/** Measures runs that wait, as for a model. Twice as many workers should execute twice as many runs. */
export const measureScale: Part = async (stage, { quick }) => {
  const databaseUrl = await stage.createDatabase();
  const env = { DATABASE_URL: databaseUrl, N_JOBS_PER_WORKER: String(slots) };
  const workers: ServerProcess[] = [];
  const api = await startService(stage, { databaseUrl, workers: 1, env });
  const rounds = new Map<number, Round[]>(counts.map((count) => [count, []]));
  const announced = (count: number) => untilTrue(api.db, `select count(*) = ${count} from workers`, 10_000);
  try {
    for (const count of sequenceOf(quick)) {
      while (workers.length + 1 < count) workers.push(await startWorker(env));
      while (workers.length + 1 > count) await workers.pop()?.stop();
      await announced(count);
      rounds
        .get(count)
        ?.push(await playWith(stage, api.url, [...api.pids, ...workers.map(({ pid }) => pid)], count, quick ? 1_500 : 4_000));
    }
  } finally {
    await Promise.all([api.stop(), ...workers.map((worker) => worker.stop())]);
  }
  return tablesOf(rounds, sequenceOf(quick));
};

/** Applies a steady load that keeps every slot busy, with as many runs waiting. */
async function playWith(stage: Stage, url: string, pids: number[], workers: number, forMs: number): Promise<Round> {
  const run = (load: object) => stage.driver.ask({ urls: [url], load }, LoadResult);
  const contender = { name: `${workers} workers`, pids, run, stop: async () => {} };
  const load = { graph: "waiting", method: "wait" as const, concurrency: slots * workers * 2 };
  await contender.run({ ...load, graph: "one", forMs: warmUpMs });
  return playRound(stage, contender, { ...load, forMs });
}

function tablesOf(rounds: Map<number, Round[]>, sequence: number[]) {
  const rate = (count: number): Figure => spreadOf((rounds.get(count) ?? []).map(({ end, ms }) => (end.length / ms) * 1000));
  const ideal = (count: number) => (count * slots * 1000) / nodeMs;
  const rows = counts.map((count) => {
    const reached = middleOf(rate(count));
    const cpu = spreadOf((rounds.get(count) ?? []).map(({ serverCpu, end }) => serverCpu && (serverCpu * 1000) / end.length));
    return [`${count} worker${count > 1 ? "s" : ""}`, [rate(count), ideal(count), ratio(reached, ideal(count)), cpu]] as const;
  });
  return {
    tables: [
      {
        title: `runs that wait ${nodeMs} ms, ${slots} slots a worker`,
        columns: ["runs/s", "ideal", "of it", "CPU ms/run"],
        rows: Object.fromEntries(rows),
      },
    ],
    figures: { "scale: 4 against 1": ratio(middleOf(rate(4)), middleOf(rate(1))) },
    notes: [`Workers came and went in this order: ${sequence.join(", ")}.`],
  };
}
