import { z } from "zod";

/** The load for a contender: so many concurrent clients, until the time is over or so many runs have begun. */
export const Load = z.object({
  graph: z.string(),
  method: z.enum(["stream", "wait"]),
  concurrency: z.number(),
  forMs: z.number(),
  atMost: z.number().optional(),
  input: z.record(z.string(), z.unknown()).default({}),
  streamMode: z.array(z.string()).default(["values"]),
  /** The thread on which all runs follow each other. Without it, each run has a new one. */
  threadId: z.string().optional(),
  /** The mark of the event that stops the clock, if not any event does. */
  firstMark: z.string().default("event: "),
});
export type Load = z.input<typeof Load>;

export const LoadResult = z.object({
  /** The time from the first request to the last answer. */
  ms: z.number(),
  /** Milliseconds from the request to the first event, and to the end, of each successful run. */
  first: z.array(z.number()),
  end: z.array(z.number()),
  failed: z.number(),
  /** The message of the first failure. */
  failure: z.string().optional(),
});
export type LoadResult = z.output<typeof LoadResult>;

/** The latencies of one run, in milliseconds. */
export interface Sample {
  first: number;
  end: number;
}

/** Runs so many loops in parallel. Each begins the next run when its last is over. */
export async function applyLoad({ concurrency, forMs, atMost }: Load, run: () => Promise<Sample>): Promise<LoadResult> {
  const result: LoadResult = { ms: 0, first: [], end: [], failed: 0 };
  const started = performance.now();
  let begun = 0;
  async function client(): Promise<void> {
    while (performance.now() - started < forMs && begun < (atMost ?? Number.POSITIVE_INFINITY)) {
      begun += 1;
      await run().then(
        ({ first, end }) => {
          result.first.push(first);
          result.end.push(end);
        },
        (error) => {
          result.failed += 1;
          result.failure ??= String(error);
        },
      );
    }
  }
  await Promise.all(Array.from({ length: concurrency }, client));
  return { ...result, ms: performance.now() - started };
}
