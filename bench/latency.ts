import { request } from "node:http";
import { performance } from "node:perf_hooks";
import type pg from "pg";
import type { BenchOptions, Measured } from "./parts.ts";
import { startBenchService } from "./service.ts";
import { quantile } from "./table.ts";

const warmUp = 50;

interface Sample {
  firstEvent: number;
  end: number;
}

function runOnce(url: string): Promise<Sample> {
  const body = JSON.stringify({ assistant_id: "echo", input: { messages: [{ role: "user", content: "hello" }] } });
  const { promise, resolve, reject } = Promise.withResolvers<Sample>();
  const started = performance.now();
  let firstEvent = 0;
  const posted = request(`${url}/runs/stream`, { method: "POST", headers: { "content-type": "application/json" } }, (response) => {
    response.setEncoding("utf8");
    response.on("data", (text: string) => {
      if (firstEvent === 0 && text.includes("event: ")) firstEvent = performance.now() - started;
    });
    response.on("end", () => resolve({ firstEvent, end: performance.now() - started }));
  });
  posted.on("error", reject);
  posted.end(body);
  return promise;
}

async function committedInsert(db: pg.Client): Promise<number> {
  const started = performance.now();
  await db.query("insert into bench_rows (note) values ('x')");
  return performance.now() - started;
}

const spread = (values: number[]) => [0.5, 0.9, 0.99].map((share) => quantile(values, share));

/** An idle service, one client, a one-node graph: from POST to the first event and to the end, beside a committed one-row insert of the same minute. */
export async function measureLatency({ quick }: BenchOptions): Promise<Measured> {
  const { url, db, stop } = await startBenchService();
  try {
    await db.query("create table bench_rows (note text)");
    const runs: Sample[] = [];
    const inserts: number[] = [];
    const samples = quick ? 100 : 300;
    for (let n = 0; n < warmUp + samples; n++) {
      const run = await runOnce(url);
      const insert = await committedInsert(db);
      if (n < warmUp) continue;
      runs.push(run);
      inserts.push(insert);
    }
    await db.query("drop table bench_rows");
    return {
      title: "milliseconds, one client",
      columns: ["p50", "p90", "p99"],
      rows: {
        "POST to first event": spread(runs.map(({ firstEvent }) => firstEvent)),
        "POST to end": spread(runs.map(({ end }) => end)),
        "one committed insert": spread(inserts),
      },
    };
  } finally {
    await stop();
  }
}
