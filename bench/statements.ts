import type { Contender } from "./contenders/contender.ts";
import { startInProcess } from "./contenders/in-process.ts";
import { startService } from "./contenders/service.ts";
import { type CountingProxy, startCountingProxy } from "./counting-proxy.ts";
import type { Load } from "./load/load.ts";
import { median } from "./measured.ts";
import { names } from "./names.ts";
import type { Stage } from "./stage.ts";

/** The round trips to Postgres per run, by contender and then by load. */
export type Statements = Record<string, Record<string, number | undefined>>;

const warmUpRuns = 12; // enough runs for every connection of a pool to prepare the statements
const countedRuns = 25;

/** Counts the round trips per run on the wire. Liveness and LISTEN have separate connections, which bypass the proxy. */
export async function countStatements(stage: Stage, loads: Record<string, Load>, whose: string[]): Promise<Statements> {
  const chosen = Object.entries(starters(stage)).filter(([name]) => whose.includes(name));
  const counted = chosen.map(async ([name, start]) => {
    const databaseUrl = await stage.createDatabase();
    const proxy = await startCountingProxy(databaseUrl);
    const contender = await start(proxy.url, databaseUrl);
    try {
      return [name, await countOf(contender, proxy, loads)] as const;
    } finally {
      await contender.stop();
      proxy.close();
    }
  });
  return Object.fromEntries(await Promise.all(counted)); // contenders are counted at the same time, which does not change the counts
}

const starters = (stage: Stage): Record<string, (url: string, directUrl: string) => Promise<Contender>> => ({
  [names.stock]: (url) => startInProcess(names.stock, "stock", url),
  [names.saver]: (url) => startInProcess(names.saver, "ours", url),
  [names.one]: (databaseUrl, url) => startService(stage, { databaseUrl, env: { DATABASE_DIRECT_URL: url } }),
  [names.split]: (databaseUrl, url) => startService(stage, { databaseUrl, workers: 2, env: { DATABASE_DIRECT_URL: url } }),
});

/**
 * Returns the round trips per run, as the median of many runs. A count may include the end of the previous run. Polls are rare, so the
 * median does not include them.
 */
async function countOf(
  contender: Contender,
  proxy: CountingProxy,
  loads: Record<string, Load>,
): Promise<Record<string, number | undefined>> {
  const counts: Record<string, number | undefined> = {};
  for (const [name, load] of Object.entries(loads)) {
    await contender.run({ ...load, atMost: warmUpRuns });
    proxy.take();
    const counted: number[] = [];
    for (let run = 0; run < countedRuns; run++) {
      const { failed } = await contender.run({ ...load, atMost: 1 });
      const { roundTrips } = proxy.take();
      if (failed === 0) counted.push(roundTrips);
    }
    counts[name] = median(counted);
  }
  return counts;
}
