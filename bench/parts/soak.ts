import { type Service, startService, untilTrue } from "../contenders/service.ts";
import { heapMb } from "../inspector.ts";
import { quantile, ratio } from "../measured.ts";
import type { Part } from "../parts.ts";
import { residentMb } from "../usage.ts";

const concurrency = 32;
/** The number of runs whose latency is measured, at the start and again at the end. */
const seen = 100;
const retentionSeconds = 5;
const sweptTimeoutMs = 20_000;

interface Look {
  heap: number;
  resident: number | undefined;
  p50: number | undefined;
  p99: number | undefined;
  runsPerSecond: number;
  database: number;
}

/** Measures how much a process grows over many runs, and how much data remains after the retention time of the runs. */
export const measureSoak: Part = async (stage, { quick }) => {
  const [few, many] = quick ? [200, 800] : [1_000, 10_000];
  const env = { ENSEMBLE_EVENT_RETENTION_SECS: String(retentionSeconds), N_JOBS_PER_WORKER: "32" };
  const service = await startService(stage, { env, flags: ["--inspect=127.0.0.1:0"] });
  try {
    const empty = await databaseMb(service);
    const early = await lookAfter(service, few);
    const late = await lookAfter(service, many - few);
    const swept = !quick && (await untilSwept(service)); // this may take some seconds
    const left = { swept: await databaseMb(service), vacuumed: await vacuumedMb(service) };
    return summary(few, many, { empty, early, late, ...left, isSwept: swept, quick });
  } finally {
    await service.stop();
  }
};

async function lookAfter(service: Service, runs: number): Promise<Look> {
  const load = { graph: "one", method: "wait" as const, forMs: 240_000 };
  const { end, ms, failed, failure } = await service.run({ ...load, concurrency, atMost: runs - seen });
  if (failed > 0) console.error(`soak: ${failed} runs failed; the first: ${failure}`);
  const { end: latest } = await service.run({ ...load, concurrency: 1, atMost: seen });
  return {
    heap: await heapMb(service.inspector ?? ""),
    resident: await residentMb(service.pids),
    p50: quantile(latest, 0.5),
    p99: quantile(latest, 0.99),
    runsPerSecond: (end.length / ms) * 1000,
    database: await databaseMb(service),
  };
}

const untilSwept = ({ db }: Service) =>
  untilTrue(db, "not exists (select from run_events) and not exists (select from checkpoints)", sweptTimeoutMs);

async function databaseMb({ db }: Service): Promise<number> {
  const { rows } = await db.query<{ bytes: string }>("select pg_database_size(current_database()) as bytes");
  return Number(rows[0]?.bytes) / 1024 / 1024;
}

/** Returns the size of the database without the space that Postgres keeps for new rows. */
async function vacuumedMb(service: Service): Promise<number> {
  await service.db.query("vacuum full");
  return databaseMb(service);
}

interface Soaked {
  empty: number;
  early: Look;
  late: Look;
  swept: number;
  vacuumed: number;
  isSwept: boolean;
  quick: boolean;
}

function summary(few: number, many: number, { empty, early, late, swept, vacuumed, isSwept, quick }: Soaked) {
  const after = (size: number) => [isSwept ? size : undefined];
  const row = ({ heap, resident, p50, p99, runsPerSecond, database }: Look) => [heap, resident, p50, p99, runsPerSecond, database];
  return {
    tables: [
      {
        title: `one process, one-node runs, ${concurrency} at once`,
        columns: ["heap MB", "RSS MB", "p50 ms alone", "p99", "runs/s until then", "database MB"],
        rows: { [`after ${few} runs`]: row(early), [`after ${many} runs`]: row(late) },
      },
      {
        title: `database, MB (events are kept ${retentionSeconds} s here)`,
        columns: ["size"],
        rows: { empty: [empty], "after the runs": [late.database], "after retention": after(swept), "after VACUUM FULL": after(vacuumed) },
      },
    ],
    figures: quick ? {} : { "soak: heap": ratio(late.heap, early.heap), "soak: resident": ratio(late.resident, early.resident) },
    notes: isSwept || quick ? [] : [`The sweeper had not taken everything away ${sweptTimeoutMs / 1000} s after the last run.`],
  };
}
