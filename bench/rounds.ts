import type { Contender } from "./contenders/contender.ts";
import type { Load, LoadResult } from "./load/load.ts";
import { difference, median, quantile, spreadOf } from "./measured.ts";
import type { Stage } from "./stage.ts";
import { cpuSeconds, residentMb } from "./usage.ts";

/** The result of one turn of a contender. */
export interface Round extends LoadResult {
  /** The CPU seconds that the contender and Postgres used in the turn. */
  serverCpu: number | undefined;
  databaseCpu: number | undefined;
  /** The contender's resident memory after the turn, in MB. */
  residentMb: number | undefined;
}

/** The parts of the stage that a turn needs. */
type Ground = Pick<Stage, "databasePids">;

/** All turns of one contender in one case. A case is a graph with a method and a number of clients. */
export type Rounds = Round[];

/** Measures contenders in turns, A B A B, so that other work on the machine affects all of them equally. Returns the turns by contender. */
export async function takeTurns(stage: Ground, contenders: Contender[], load: Load, rounds: number): Promise<Map<string, Rounds>> {
  const turns = new Map<string, Rounds>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) turns.get(contender.name)?.push(await playRound(stage, contender, load));
  }
  return turns;
}

/**
 * How long each turn runs before it is measured, in milliseconds. A contender that was idle needs more CPU per run at first, for example
 * twice as much after six seconds.
 */
const runInMs = 400;

export async function playRound({ databasePids }: Ground, contender: Contender, load: Load): Promise<Round> {
  if (load.forMs > 2 * runInMs) await contender.run({ ...load, forMs: runInMs });
  const usage = async () => ({ server: await cpuSeconds(contender.pids), database: await cpuSeconds(databasePids) });
  const before = await usage();
  const result = await contender.run(load);
  const after = await usage();
  if (result.failed > 0) console.error(`${contender.name}, ${load.graph}: ${result.failed} runs failed; the first: ${result.failure}`);
  return {
    ...result,
    serverCpu: difference(before.server, after.server),
    databaseCpu: databasePids.length > 0 ? difference(before.database, after.database) : undefined,
    residentMb: await residentMb(contender.pids),
  };
}

/** Runs each contender for a while without measuring, because new code is slow at first. */
export async function warmUp(contenders: Contender[], load: Omit<Load, "method">): Promise<void> {
  for (const contender of contenders) {
    for (const method of ["stream", "wait"] as const) await contender.run({ ...load, method, forMs: load.forMs / 2 });
  }
}

export const runsPerSecond = (rounds: Rounds) => spreadOf(rounds.map(({ end, ms }) => (end.length / ms) * 1000));

/** Returns the CPU milliseconds per run, over several turns. */
export const cpuPerRun = (rounds: Rounds, whose: "serverCpu" | "databaseCpu") =>
  spreadOf(
    rounds.map(({ end, [whose]: seconds }) => (seconds === undefined || end.length === 0 ? undefined : (seconds * 1000) / end.length)),
  );

/** Returns a quantile of the latency over the runs of all turns. */
export const latency = (rounds: Rounds, until: "first" | "end", share: number) =>
  quantile(
    rounds.flatMap((round) => round[until]),
    share,
  );

export const memory = (rounds: Rounds) => {
  const known = rounds.map((round) => round.residentMb).filter((size) => size !== undefined);
  return median(known);
};
