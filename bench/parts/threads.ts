import { randomUUID } from "node:crypto";
import type pg from "pg";
import { connectTo } from "../client.ts";
import type { Contender } from "../contenders/contender.ts";
import { startInProcess } from "../contenders/in-process.ts";
import { startService, untilTrue } from "../contenders/service.ts";
import { difference, type Figure, type Measured, median, ratio } from "../measured.ts";
import { names } from "../names.ts";
import type { Part } from "../parts.ts";
import type { Stage } from "../stage.ts";
import { forgetStored, livingCheckpoints, type Sizes, storedSizes } from "../stored.ts";

const kept = 10;
const keepingName = `ours, the latest ${kept} kept`;
const warmUpTurns = 40;
/**
 * The time limit for the turns with LangGraph's own saver, in milliseconds. This saver gets slower with every turn, so it stops after this
 * time, and its later figures are missing.
 */
const timeoutMs = 8_000;
const trimmedTimeoutMs = 20_000;
/** How many turns before and after a turn are included in the turn's figure. */
const around = 10;

interface Player extends Contender {
  db: pg.Client;
  url?: string;
  threadId: string;
  /** The latency of each turn, or undefined if the turn failed. */
  times: (number | undefined)[];
  sizes: Map<number, Sizes>;
}

/** Measures a conversation that grows: the cost of a turn, and the space of the thread in Postgres. */
export const measureThreads: Part = async (stage, { quick }) => {
  const marks = quick ? [10, 50] : [10, 100, 500, 1_000];
  const players = await startPlayers(stage);
  try {
    for (const player of players) await player.run({ ...turn(), threadId: randomUUID(), forMs: 60_000, atMost: warmUpTurns });
    for (const { db } of players) await forgetStored(db);
    await playTurns(players, marks);
    const reads = await readThread(players[0], quick ? 3 : 7);
    await untilTrimmed(players[1], marks.at(-1) ?? 0);
    const living = await Promise.all(players.map(({ db }) => livingCheckpoints(db)));
    return summary(players, marks, reads, living);
  } finally {
    await Promise.all(players.map((player) => player.stop()));
  }
};

/** Waits until the sweeper, which runs every few seconds, has trimmed the thread. Then records the remaining size. */
async function untilTrimmed(keeping: Player | undefined, mark: number): Promise<void> {
  if (!keeping) return;
  const isTrimmed = `select count(*) <= ${kept} from checkpoints where thread_id = '${keeping.threadId}'`;
  if (await untilTrue(keeping.db, isTrimmed, trimmedTimeoutMs)) keeping.sizes.set(mark, await storedSizes(keeping.db));
}

async function startPlayers(stage: Stage): Promise<Player[]> {
  const play = (contender: Contender & { url?: string }, db: pg.Client): Player => ({
    ...contender,
    db,
    threadId: randomUUID(),
    times: [],
    sizes: new Map(),
  });
  const ours = await startService(stage, { name: names.one });
  const keeping = await startService(stage, { name: keepingName, env: { ENSEMBLE_KEEP_CHECKPOINTS: String(kept) } });
  const stockUrl = await stage.createDatabase();
  const stock = await startInProcess(names.stock, "stock", stockUrl);
  const db = await connectTo(stockUrl);
  const stop = async () => void (await Promise.all([db.end(), stock.stop()]));
  return [play(ours, ours.db), play(keeping, keeping.db), play({ ...stock, stop }, db)];
}

const letters = "abcdefghijklmnopqrstuvwxyz ";
const randomText = (length: number) => Array.from({ length }, () => letters[Math.floor(Math.random() * letters.length)]).join("");

/**
 * Returns the load of one turn: a message of 200 random characters, with an answer of the same length. It requests only the new messages
 * and not the whole state, like clients of long threads.
 */
const turn = (method: "stream" | "wait" = "stream") => ({
  graph: "conversation",
  method,
  streamMode: ["updates"],
  concurrency: 1,
  input: { messages: [{ role: "user", content: randomText(200) }] },
});

async function takeTurn(player: Player, method: "stream" | "wait" = "stream"): Promise<number | undefined> {
  const { end, failure } = await player.run({ ...turn(method), threadId: player.threadId, forMs: 60_000, atMost: 1 });
  if (failure) console.error(`${player.name}: a turn failed: ${failure}`);
  return end[0];
}

async function playTurns(players: Player[], marks: number[]): Promise<void> {
  const spent = new Map<Player, number>();
  for (let number = 1; number <= (marks.at(-1) ?? 0); number++) {
    for (const player of players.filter((one) => (spent.get(one) ?? 0) < timeoutMs || one.name !== names.stock)) {
      const ms = await takeTurn(player);
      player.times.push(ms);
      spent.set(player, (spent.get(player) ?? 0) + (ms ?? 0));
      if (marks.includes(number)) player.sizes.set(number, await storedSizes(player.db));
    }
  }
}

/** Measures the time to read the state and the history of a long thread, and the time of a turn that returns the whole state. */
async function readThread(player: Player | undefined, times: number): Promise<Record<string, number | undefined>> {
  if (!player?.url) return {};
  const thread = `${player.url}/threads/${player.threadId}`;
  const samples: Record<string, (number | undefined)[]> = { state: [], "history, 10": [], "a turn with wait, all of it sent back": [] };
  for (let time = 0; time < times; time++) {
    samples.state?.push(await timeGet(`${thread}/state`));
    samples["history, 10"]?.push(await timeGet(`${thread}/history?limit=10`));
    samples["a turn with wait, all of it sent back"]?.push(await takeTurn(player, "wait"));
  }
  return Object.fromEntries(Object.entries(samples).map(([what, values]) => [what, medianOfKnown(values)]));
}

async function timeGet(url: string): Promise<number> {
  const started = performance.now();
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${url} was answered with ${response.status}`);
  return performance.now() - started;
}

/** Returns the median of the turns around a number, or undefined if that turn was not reached. */
function msAt({ times }: Player, number: number): number | undefined {
  return times.length < number ? undefined : medianOfKnown(times.slice(Math.max(0, number - around - 1), number + around));
}

const medianOfKnown = (values: (number | undefined)[]) => median(values.filter((value) => value !== undefined));

function summary(players: Player[], marks: number[], reads: Record<string, number | undefined>, living: Figure[]): Measured {
  const last = marks.at(-1) ?? 0;
  const column = (cells: (player: Player) => Figure[]) => Object.fromEntries(players.map((player) => [player.name, cells(player)]));
  const stored = (kind: keyof Sizes) => ({
    title: `${kind}, MB after VACUUM, at turn`,
    columns: marks.map(String),
    rows: column((player) => marks.map((mark) => player.sizes.get(mark)?.[kind])),
  });
  const { times = [] } = players.at(-1) ?? {};
  return {
    tables: [
      { title: "ms a turn, at turn", columns: marks.map(String), rows: column((player) => marks.map((mark) => msAt(player, mark))) },
      stored("checkpoints"),
      stored("events"),
      stored("thread row"),
      { title: "checkpoints, MB after VACUUM FULL", columns: ["in the end"], rows: column((player) => [living[players.indexOf(player)]]) },
      { title: `ms at ${last} turns, ${names.one}`, columns: ["p50"], rows: rowsOf(reads) },
    ],
    figures: figuresOf(players),
    notes: [
      "A turn is a stream of updates on the one thread; two messages of 200 random characters each.",
      ...(times.length < last ? [`PostgresSaver had used its ${timeoutMs / 1000} s after turn ${times.length}.`] : []),
    ],
  };
}

function figuresOf([ours, keeping]: Player[]): Measured["figures"] {
  const growth = (kind: keyof Sizes) => ratio(ours?.sizes.get(1_000)?.[kind], ours?.sizes.get(500)?.[kind]);
  return {
    "threads: more at 1,000": difference(ours && msAt(ours, 10), ours && msAt(ours, 1_000)),
    "threads: checkpoints": ours?.sizes.get(1_000)?.checkpoints,
    "threads: checkpoints kept": keeping?.sizes.get(1_000)?.checkpoints,
    "threads: checkpoints growth": growth("checkpoints"),
    "threads: events growth": growth("events"),
    "threads: row growth": growth("thread row"),
  };
}

const rowsOf = (values: Record<string, number | undefined>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [value]]));
