import type { Client } from "@langchain/langgraph-sdk";
import type { Pool } from "pg";
import type { AttemptRecord, Span } from "../../src/runs/timeline.ts";

interface Service {
  client: Client;
  db: Pool;
}

/** Runs the graph `steps` and gives its run other attempts. `claimed` and `ended` count in milliseconds from the run's start. */
export async function storeTimeline({ client, db }: Service, attempts: AttemptRecord[], graphId = "steps") {
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, graphId, { input: {} });
  await client.runs.join(threadId, runId);
  const start = Date.now() - 3_600_000;
  const at = (ms: number | null | undefined) => (ms === null || ms === undefined ? null : start + ms);
  const records = attempts.map((one) => JSON.stringify({ ...one, claimed: at(one.claimed), ended: at(one.ended) }));
  const last = attempts.at(-1)?.ended ?? 0;
  await db.query(
    `update runs set timeline = $2, attempt = $3, created_at = to_timestamp($4), run_at = to_timestamp($4), started_at = to_timestamp($4), ended_at = to_timestamp($5)
      where run_id = $1`,
    [runId, records, attempts.length, start / 1_000, (start + last) / 1_000],
  );
  return { threadId, runId };
}

const worker = (number: number) => ({ worker: crypto.randomUUID(), host: `worker-${number}`, pid: 4_000 + number, version: "0.1.0" });

/** A worker that died in the second step, and another one that did the rest. */
export const crashedThenDone: AttemptRecord[] = [
  { attempt: 1, ...worker(1), claimed: 120, ended: 9_400, outcome: "crashed", spans: [[1, 0, "node", "one", 30, 2_400, "success"]] },
  {
    attempt: 2,
    ...worker(2),
    claimed: 9_400,
    ended: 14_900,
    outcome: "success",
    spans: [
      [1, 0, "node", "two", 20, 3_200, "success"],
      [2, 1, "model", "gpt-5-mini", 40, 2_100, "error", 812, 0, "RateLimitError: 429 Too many requests"],
      [3, 1, "model", "gpt-5-mini", 2_150, 3_100, "success", 812, 96],
      [4, 0, "node", "three", 3_210, 5_400, "success"],
    ],
  },
];

/** An attempt of which nothing is known, one that was returned to the queue, and one with every outcome of spans. */
export const unrecorded: AttemptRecord[] = [
  { attempt: 1, ...worker(3), claimed: 1_000, ended: 2_000, outcome: "released", spans: [[1, 0, "node", "one", 10, 900, "unfinished"]] },
  { attempt: 2, worker: null, claimed: null },
  {
    attempt: 3,
    ...worker(4),
    claimed: 8_000,
    ended: 12_000,
    outcome: "interrupted",
    spans: [
      [1, 0, "node", "one", 10, 900, "success"],
      [2, 0, "node", "two", 950, 3_900, "interrupted"],
      [3, 2, "tool", "search_the_web_for_everything_that_has_a_very_long_name", 1_000, 2_000, "error", 0, 0, "TypeError: fetch failed"],
      [4, 2, "tool", "ask", 2_100, 3_900, "interrupted"],
    ],
    dropped: 1_204,
  },
];

/** The most spans that an attempt keeps. */
export function manySpans(): AttemptRecord[] {
  const spans: Span[] = [];
  for (let index = 0; index < 2_500; index++) {
    const began = index * 400;
    spans.push([2 * index + 1, 0, "node", "one", began, began + 380, "success"]);
    spans.push([2 * index + 2, 2 * index + 1, "model", "gpt-5-mini", began + 10, began + 350, "success", 100, 20]);
  }
  return [{ attempt: 1, ...worker(1), claimed: 50, ended: 1_000_100, outcome: "success", spans }];
}
