import { randomUUID } from "node:crypto";
import { type Contender, startTogether } from "../contenders/contender.ts";
import { startInProcess } from "../contenders/in-process.ts";
import { startPeer } from "../contenders/peer.ts";
import { startService } from "../contenders/service.ts";
import type { Load } from "../load/load.ts";
import { type Measured, middleOf, ratio, type Table } from "../measured.ts";
import { names } from "../names.ts";
import type { BenchOptions, Part } from "../parts.ts";
import { cpuPerRun, latency, memory, type Rounds, runsPerSecond, takeTurns, warmUp } from "../rounds.ts";
import type { Stage } from "../stage.ts";
import { countStatements, type Statements } from "../statements.ts";

interface Case {
  graph: string;
  method: "stream" | "wait";
  concurrency: number;
}

type Turns = Map<string, Rounds>;

const slots = 50; // the total of all workers of a contender
const graphs = ["one", "five", "twenty", "fan3", "fan50"];
const onThread = "five on a thread that stays";
const manyAtOnce = [1, 8, 32, 128];
/** The cases that the targets need. They get more turns, and longer ones. */
const decisive: Case[] = [8, 32].map((concurrency) => ({ graph: "five", method: "stream", concurrency }));

/** Measures trivial graphs on new threads, with 1 to 128 concurrent clients, on every contender that can run them. */
export const measureRuns: Part = async (stage, options) => {
  const { quick } = options;
  const statements = await countStatements(stage, countedLoads(options), quick ? [names.stock, names.one] : Object.values(names));
  const contenders = await startContenders(stage, quick);
  const decided = new Map<Case, Turns>();
  const others = new Map<Case, Turns>();
  try {
    await warmUp(contenders, { graph: "five", concurrency: 32, forMs: quick ? 800 : 3_000 });
    for (const one of decisive) decided.set(one, await turnsOf(stage, contenders, one, quick ? [2, 300] : [3, 1_500]));
    for (const one of otherCases(options)) others.set(one, await turnsOf(stage, contenders.filter(takesPart(one)), one, [2, 250]));
  } finally {
    await Promise.all(contenders.map((contender) => contender.stop()));
  }
  return {
    tables: [...decided, ...others].map(([one, turns]) => tableOf(one, turns, statements)),
    figures: figuresOf(decided, statements),
    notes: [
      `${slots} slots everywhere; the dev server polls its queue and ends its streams by timers of its own, which bound its runs/s and its latency.`,
      "PostgresSaver and our saver work with durability sync, as the service does.",
      `On a thread that stays a five-node run takes ${statements[names.one]?.[onThread]} round trips, with PostgresSaver alone ${statements[names.stock]?.[onThread]}.`,
      ...failuresIn([...decided.values(), ...others.values()]),
    ],
  };
};

/** Returns the loads whose round trips are counted: each graph on a new thread, and the five-node graph also on a reused thread. */
function countedLoads({ quick }: BenchOptions): Record<string, Load> {
  const load = (graph: string): Load => ({ graph, method: "stream", concurrency: 1, forMs: 10_000 });
  const alone = (quick ? ["five"] : graphs).map((graph) => [graph, load(graph)] as const);
  return Object.fromEntries([...alone, [onThread, { ...load("five"), threadId: randomUUID() }]]);
}

/**
 * Returns a function that tells whether a contender takes part in a case. In-process LangGraph is only measured with streams, because
 * invoking a graph there is the same as streaming it without a reader.
 */
const takesPart =
  ({ method }: Case) =>
  ({ name }: Contender) =>
    method === "stream" || [names.peer, names.one, names.split].includes(name);

async function startContenders(stage: Stage, quick: boolean): Promise<Contender[]> {
  const [stockUrl, ourUrl] = [await stage.createDatabase(), await stage.createDatabase()];
  return startTogether<Contender>([
    startInProcess(names.bare, "none", ""),
    startInProcess(names.stock, "stock", stockUrl),
    startInProcess(names.saver, "ours", ourUrl),
    startPeer(stage),
    startService(stage, { name: names.one, env: { N_JOBS_PER_WORKER: String(slots) } }),
    ...(quick ? [] : [startService(stage, { name: names.split, workers: 2, env: { N_JOBS_PER_WORKER: String(slots / 2) } })]),
  ]);
}

const turnsOf = (stage: Stage, contenders: Contender[], one: Case, [rounds, forMs]: [number, number]) =>
  takeTurns(stage, contenders, { ...one, forMs }, rounds);

/**
 * Returns the cases that the targets do not need. They differ from the targets' cases in one property, or with `full` in any combination.
 */
function otherCases({ quick, full }: BenchOptions): Case[] {
  if (quick) return [];
  const methods = ["stream", "wait"] as const;
  const all = graphs.flatMap((graph) =>
    methods.flatMap((method) => manyAtOnce.map((concurrency): Case => ({ graph, method, concurrency }))),
  );
  const isDecisive = (one: Case) => decisive.some((other) => JSON.stringify(other) === JSON.stringify(one));
  const isNear = ({ graph, method, concurrency }: Case) => graph === "five" || (method === "stream" && concurrency === 32);
  return all.filter((one) => !isDecisive(one) && (full || isNear(one)));
}

function tableOf({ graph, method, concurrency }: Case, turns: Turns, statements: Statements): Table {
  const rows = Object.values(names).map((name) => {
    const rounds = turns.get(name) ?? [];
    const times = (["first", "end"] as const).flatMap((until) => [0.5, 0.99].map((share) => latency(rounds, until, share)));
    const cpu = [cpuPerRun(rounds, "serverCpu"), cpuPerRun(rounds, "databaseCpu")];
    return [name, [runsPerSecond(rounds), ...times, ...cpu, statements[name]?.[graph], memory(rounds)]] as const;
  });
  return {
    title: `${graph}, ${method}, ${concurrency} at once`,
    columns: ["runs/s", "first p50", "p99", "end p50 ms", "p99", "CPU ms/run", "Postgres CPU", "statements", "MB"],
    rows: Object.fromEntries(rows),
  };
}

/** Returns a note for each contender with failed runs, because no figure includes failed runs. */
function failuresIn(all: Turns[]): string[] {
  return Object.values(names).flatMap((name) => {
    const rounds = all.flatMap((turns) => turns.get(name) ?? []);
    const failed = rounds.reduce((sum, round) => sum + round.failed, 0);
    const ran = rounds.reduce((sum, round) => sum + round.end.length, failed);
    return failed > 0 ? [`${name}: ${failed} of ${ran} runs failed.`] : [];
  });
}

function figuresOf(decided: Map<Case, Turns>, statements: Statements): Measured["figures"] {
  const [at8, at32] = decisive.map((one) => decided.get(one));
  const rate = (turns: Turns | undefined, name: string) => middleOf(runsPerSecond(turns?.get(name) ?? []));
  const cpu = (name: string) => middleOf(cpuPerRun(at32?.get(name) ?? [], "serverCpu"));
  return {
    "five: server CPU": cpu(names.one),
    "five: dev server CPU": cpu(names.peer),
    "five: against dev server": ratio(rate(at32, names.one), rate(at32, names.peer)),
    "five: against in-process": ratio(rate(at32, names.one), rate(at32, names.saver)),
    "five: savers at 8": ratio(rate(at8, names.saver), rate(at8, names.stock)),
    "five: savers at 32": ratio(rate(at32, names.saver), rate(at32, names.stock)),
    "five: round trips": statements[names.one]?.five,
    "five: round trips of stock": statements[names.stock]?.five,
  };
}
