import { randomUUID } from "node:crypto";
import { z } from "zod";
import { type Child, startChild } from "../child.ts";
import { type Service, startService } from "../contenders/service.ts";
import { FollowersResult, type Following } from "../load/followers.ts";
import { difference, type Figure, type Measured, type Table } from "../measured.ts";
import { startModel } from "../model.ts";
import type { Part } from "../parts.ts";
import type { Stage } from "../stage.ts";
import { cpuSeconds, residentMb } from "../usage.ts";

const runsAtOnce = 100;
const followers = 1_000;
const ticksPerSecond = 100;
/** How long the first event is delayed, in milliseconds. All clients are then connected, and each should receive every event. */
const headStartMs = 2_000;

const tokensOfRun = (quick: boolean) => (quick ? 100 : 500);
const fanTicks = (quick: boolean) => ticksPerSecond * (quick ? 3 : 6);

interface Streamed extends FollowersResult {
  /** The CPU time of the process with all clients. If it is higher than the server's, the result shows the speed of the clients. */
  clientCpu: number | undefined;
  serverCpu: number | undefined;
  databaseCpu: number | undefined;
  residentMb: number | undefined;
}

/** Measures many runs with one client each, which stream a model's tokens, and one run with a thousand clients. */
export const measureTokens: Part = async (stage, { quick }) => {
  const model = await startModel();
  const env = { N_JOBS_PER_WORKER: String(runsAtOnce), OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: "none" };
  const service = await startService(stage, { env });
  const crowd = startChild(new URL("../load/followers-child.ts", import.meta.url), {});
  const talk = (tokens: number, everyMs: number) => {
    model.script({ tokens, everyMs });
    return stream(stage, service, crowd, talkers(service.url));
  };
  const fan = async (count: number, everyMs: number) => stream(stage, service, crowd, await followersOf(service.url, count, everyMs));
  try {
    await talk(20, 0);
    const talked = { flatOut: await talk(tokensOfRun(quick), 0), paced: await talk(quick ? 20 : 60, 100) };
    const fanned = { paced: await fan(fanTicks(quick), 1000 / ticksPerSecond), flatOut: await fan(quick ? 150 : 500, 0) };
    return summary(quick, talked, fanned);
  } finally {
    model.close();
    await Promise.all([crowd.stop(), service.stop()]);
  }
};

async function stream({ databasePids }: Stage, { pids }: Service, crowd: Child, following: Following): Promise<Streamed> {
  const usage = () => Promise.all([pids, databasePids, [crowd.pid]].map(cpuSeconds));
  const before = await usage();
  await crowd.ask({ begin: following }, z.object({}));
  const result = await crowd.ask({ finish: true }, FollowersResult);
  const after = await usage();
  const [serverCpu, databaseCpu, clientCpu] = after.map((seconds, whose) => difference(before[whose], seconds));
  return {
    ...result,
    serverCpu,
    databaseCpu: databasePids.length > 0 ? databaseCpu : undefined,
    clientCpu,
    residentMb: await residentMb(pids),
  };
}

/** Returns clients that each start a run and read the tokens of its model. */
function talkers(url: string): Following {
  const input = { messages: [{ role: "user", content: "hello" }] };
  const body = { assistant_id: "talk", input, stream_mode: ["messages-tuple"] };
  return { url, clients: runsAtOnce, method: "POST", path: "/runs/stream", body, mark: '"content":"' };
}

/** Returns clients that all read the same run from its first event. */
async function followersOf(url: string, count: number, everyMs: number): Promise<Following> {
  const input = { count, everyMs, startAt: Date.now() + headStartMs };
  const threadId = randomUUID();
  const response = await fetch(`${url}/threads/${threadId}/runs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ assistant_id: "ticks", input, stream_mode: ["custom"], if_not_exists: "create" }),
    signal: AbortSignal.timeout(10_000),
  });
  const { run_id } = z.object({ run_id: z.string() }).parse(await response.json());
  return { url, clients: followers, method: "GET", path: `/threads/${threadId}/runs/${run_id}/stream?last_event_id=-1`, mark: '{"at":' };
}

type Streams = Record<"flatOut" | "paced", Streamed>;

function summary(quick: boolean, talked: Streams, fanned: Streams): Measured {
  const wanted = fanTicks(quick);
  const { fewest, most, lagP99 } = fanned.paced;
  return {
    tables: [tableOf(quick, talked, fanned)],
    figures: {
      "fan: share": (Math.min(fewest, 2 * wanted - most) / wanted) * 100, // a duplicate counts as much as a lost event
      "fan: lag p99": lagP99,
      "fan: deliveries": (fanned.flatOut.total / fanned.flatOut.ms) * 1000,
    },
    notes: [
      `Of ${wanted} events each of the ${followers} clients got ${fewest} to ${most}.`,
      "Flat out the lag is what waits in between, and says nothing.",
    ],
  };
}

const tableOf = (quick: boolean, talked: Streams, fanned: Streams): Table => ({
  title: "event streams of one process",
  columns: [
    "events/s",
    "lag p50 ms",
    "p99",
    "max",
    "fewest a client",
    "most",
    "cut",
    "server CPU s",
    "Postgres CPU s",
    "client CPU s",
    "MB",
  ],
  rows: {
    [`${runsAtOnce} runs × ${tokensOfRun(quick)} tokens, flat out`]: row(talked.flatOut),
    [`${runsAtOnce} runs, 10 tokens a second each`]: row(talked.paced),
    [`1 run, ${ticksPerSecond} events a second, ${followers} clients`]: row(fanned.paced),
    [`1 run, flat out, ${followers} clients`]: row(fanned.flatOut),
  },
});

const row = ({
  total,
  ms,
  lagP50,
  lagP99,
  lagMax,
  fewest,
  most,
  cut,
  serverCpu,
  databaseCpu,
  clientCpu,
  residentMb,
}: Streamed): Figure[] => [(total / ms) * 1000, lagP50, lagP99, lagMax, fewest, most, cut, serverCpu, databaseCpu, clientCpu, residentMb];
