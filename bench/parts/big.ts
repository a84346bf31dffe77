import { type Contender, startTogether } from "../contenders/contender.ts";
import { startInProcess } from "../contenders/in-process.ts";
import { startService } from "../contenders/service.ts";
import { middleOf, ratio, type Table } from "../measured.ts";
import { names } from "../names.ts";
import type { Part } from "../parts.ts";
import { cpuPerRun, latency, type Rounds, runsPerSecond, takeTurns, warmUp } from "../rounds.ts";
import type { Stage } from "../stage.ts";

const concurrency = 4;
const cases = {
  kept: "1 MB made once, then five nodes",
  rewritten: "1 MB rewritten by each of five nodes",
};

/** Measures a state of one megabyte that every node leaves unchanged or rewrites. */
export const measureBig: Part = async (stage, { quick }) => {
  const contenders = await startContenders(stage);
  const turns: Record<string, Map<string, Rounds>> = {};
  try {
    await warmUp(contenders, { graph: "rewritten", concurrency, forMs: quick ? 200 : 600 });
    for (const graph of Object.keys(cases)) {
      const load = { graph, method: "wait" as const, concurrency, forMs: quick ? 250 : 900 };
      turns[graph] = await takeTurns(stage, contenders, load, quick ? 2 : 4);
    }
  } finally {
    await Promise.all(contenders.map((contender) => contender.stop()));
  }
  const rate = (name: string) => middleOf(runsPerSecond(turns.rewritten?.get(name) ?? []));
  return {
    tables: Object.entries(cases).map(([graph, title]) => tableOf(title, turns[graph])),
    figures: { "rewritten: savers": ratio(rate(names.saver), rate(names.stock)) },
    notes: [`${concurrency} at once, wait; the service also sends the megabyte to its clients.`],
  };
};

async function startContenders(stage: Stage) {
  return startTogether<Contender>([
    startInProcess(names.bare, "none", ""),
    startInProcess(names.stock, "stock", await stage.createDatabase()),
    startInProcess(names.saver, "ours", await stage.createDatabase()),
    startService(stage, { name: names.one }),
  ]);
}

function tableOf(title: string, turns: Map<string, Rounds> = new Map()): Table {
  const rows = [...turns].map(([name, rounds]) => {
    const times = [0.5, 0.99].map((share) => latency(rounds, "end", share));
    return [name, [runsPerSecond(rounds), ...times, cpuPerRun(rounds, "serverCpu"), cpuPerRun(rounds, "databaseCpu")]] as const;
  });
  return { title, columns: ["runs/s", "end p50 ms", "p99", "CPU ms/run", "Postgres CPU"], rows: Object.fromEntries(rows) };
}
