import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { startService } from "../contenders/service.ts";
import { type Figure, middleOf, ratio } from "../measured.ts";
import type { Part } from "../parts.ts";
import { cpuPerRun, type Rounds, takeTurns, warmUp } from "../rounds.ts";

const load = { graph: "five", method: "stream", concurrency: 8, forMs: 2_500 } as const;

/**
 * Compares this checkout with another one, such as the commit before a change. The variable `BENCH_BEFORE` has the path of that checkout,
 * which must have its dependencies installed. Both run the five-node graph in turns.
 */
export const measureBefore: Part = async (stage, { quick }) => {
  const other = process.env.BENCH_BEFORE;
  if (!other) throw new Error("Set BENCH_BEFORE to the path of the other checkout.");
  const command = pathToFileURL(join(resolve(other), "src/cli/ensemble.ts"));
  const contenders = [await startService(stage, { name: "before", command }), await startService(stage, { name: "now" })];
  try {
    await warmUp(contenders, { graph: load.graph, concurrency: 32, forMs: 3_000 });
    const turns = await takeTurns(stage, contenders, load, quick ? 4 : 12);
    const rows: Record<string, Figure[]> = Object.fromEntries([...turns].map(([name, rounds]) => [name, figuresOf(rounds)]));
    const now = rows.now?.map((figure, column) => ratio(Number(figure), Number(rows.before?.[column])));
    return { tables: [{ title: "five nodes, in turns (medians)", columns, rows: { ...rows, "now / before": now ?? [] } }] };
  } finally {
    await Promise.all(contenders.map((contender) => contender.stop()));
  }
};

const columns = ["service, CPU ms per run", "Postgres, CPU ms per run", "both"];

function figuresOf(rounds: Rounds): Figure[] {
  const [service, database] = (["serverCpu", "databaseCpu"] as const).map((whose) => middleOf(cpuPerRun(rounds, whose)));
  return [service, database, (service ?? 0) + (database ?? 0)];
}
