import { z } from "zod";

/**
 * The load on a contender: the number of concurrent clients, and the time when they stop. They stop after `forMs`, or after `atMost` runs
 * have begun.
 */
export const Load = z.object({
  graph: z.string(),
  method: z.enum(["stream", "wait"]),
  concurrency: z.number(),
  forMs: z.number(),
  atMost: z.number().optional(),
  input: z.record(z.string(), z.unknown()).default({}),
  streamMode: z.array(z.string()).default(["values"]),
  /** The thread on which all runs execute, one after another. Without it, each run gets a new thread. */
  threadId: z.string().optional(),
  /** The text of the event that stops the clock for the first event. By default, any event stops it. */
  firstMark: z.string().default("event: "),
});
export type Load = z.input<typeof Load>;

export const LoadResult = z.object({
  /** The time from the first request to the last answer, in milliseconds. */
  ms: z.number(),
  /** For each successful run, the milliseconds from the request to the first event. The next field has those to the end of the run. */
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

/** Starts `concurrency` loops in parallel. Each loop starts its next run when its previous run has ended. */
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
