import type pg from "pg";
import { connectTo } from "../client.ts";
import { type Contender, startTogether } from "../contenders/contender.ts";
import { startPeer } from "../contenders/peer.ts";
import { startService } from "../contenders/service.ts";
import type { Load } from "../load/load.ts";
import { quantile } from "../measured.ts";
import { startModel } from "../model.ts";
import { names } from "../names.ts";
import type { Part } from "../parts.ts";
import type { Stage } from "../stage.ts";

const message = { messages: [{ role: "user", content: "hello" }] };
const warmUpRuns = 60;

/** The questions to measure. Each names the event that stops the clock, and the kind of run. */
const questions: Record<string, Omit<Load, "forMs" | "concurrency">> = {
  "one node": { graph: "one", method: "stream" },
  "a model that answers at once": {
    graph: "talk",
    method: "stream",
    input: message,
    streamMode: ["messages-tuple"],
    firstMark: "event: messages",
  },
};

type Samples = Map<string, number[]>;

/**
 * How many rounds are measured, unless the time limit ends them earlier. The dev server takes half a second for each run, so it gets fewer
 * rounds.
 */
interface Extent {
  rounds: number;
  ofPeer: number;
  forMs: number;
}

/**
 * Measures the time to the first event, with idle servers and one client. For comparison, also measures a committed insert of one row in
 * the same minute.
 */
export const measureFirstEvent: Part = async (stage, { quick }) => {
  const model = await startModel();
  model.script({ tokens: 5, everyMs: 0 });
  const env = { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: "none" };
  const contenders = await startContenders(stage, env, quick);
  const samples: Samples = new Map();
  const db = await connectTo(await stage.createDatabase());
  try {
    await db.query("create table bench_rows (note text)");
    await sample(db, contenders, { rounds: warmUpRuns, ofPeer: 2, forMs: quick ? 1_500 : 3_000 }, new Map());
    await sample(db, contenders, { rounds: 300, ofPeer: 4, forMs: quick ? 3_000 : 10_000 }, samples);
  } finally {
    model.close();
    await db.end();
    await Promise.all(contenders.map((contender) => contender.stop()));
  }
  return summary(samples);
};

async function startContenders(stage: Stage, env: Record<string, string>, quick: boolean): Promise<Contender[]> {
  const ours = startService(stage, { name: names.one, env });
  const others = quick ? [] : [startService(stage, { name: names.split, workers: 2, env }), startPeer(stage, env)];
  return startTogether<Contender>([ours, ...others]);
}

/** Executes one run on each contender in turn, and one insert. */
async function sample(db: pg.Client, contenders: Contender[], { rounds, ofPeer, forMs }: Extent, samples: Samples): Promise<void> {
  const note = (name: string, value: number | undefined) => {
    if (value !== undefined) samples.set(name, [...(samples.get(name) ?? []), value]);
  };
  const deadline = performance.now() + forMs;
  for (let round = 0; round < rounds && performance.now() < deadline; round++) {
    for (const contender of contenders.filter(({ name }) => name !== names.peer || round < ofPeer)) {
      for (const [question, load] of Object.entries(questions)) {
        const { first, end, failure } = await contender.run({ ...load, concurrency: 1, forMs: 60_000, atMost: 1 });
        if (failure) console.error(`${contender.name}, ${question}: a run failed: ${failure}`);
        note(`${contender.name}, ${question}: first`, first[0]);
        note(`${contender.name}, ${question}: end`, end[0]);
      }
    }
    const started = performance.now();
    await db.query("insert into bench_rows (note) values ('x')");
    note("one committed insert", performance.now() - started);
  }
}

function summary(samples: Samples) {
  const shares = [0.5, 0.9, 0.99];
  const p50 = (name: string) => quantile(samples.get(name) ?? [], 0.5);
  const label = (name: string) =>
    name.replace(/one node: first$/, "one node: first event").replace(/at once: first$/, "at once: first token");
  const rows = [...samples].map(
    ([name, values]) => [label(name), [...shares.map((share) => quantile(values, share)), values.length]] as const,
  );
  return {
    tables: [{ title: "milliseconds from POST, one client", columns: ["p50", "p90", "p99", "samples"], rows: Object.fromEntries(rows) }],
    figures: {
      "idle: first event": p50(`${names.one}, one node: first`),
      "idle: end": p50(`${names.one}, one node: end`),
      "idle: insert": p50("one committed insert"),
    },
  };
}
