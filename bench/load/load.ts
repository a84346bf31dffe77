import { z } from "zod";

/** What a contender is asked to run, by so many clients at once: until the time is over, or so many runs have begun. */
export const Load = z.object({
  graph: z.string(),
  method: z.enum(["stream", "wait"]),
  concurrency: z.number(),
  forMs: z.number(),
  atMost: z.number().optional(),
  input: z.record(z.string(), z.unknown()).default({}),
  streamMode: z.array(z.string()).default(["values"]),
  /** Runs follow each other on this thread; otherwise each has a fresh one. */
  threadId: z.string().optional(),
  /** Where the clock of the first event stops, when that is not just any event. */
  firstMark: z.string().default("event: "),
});
export type Load = z.input<typeof Load>;

export const LoadResult = z.object({
  /** From the first request to the last answer. */
  ms: z.number(),
  /** Milliseconds from asking to the first event, and to the end, of each run that went well. */
  first: z.array(z.number()),
  end: z.array(z.number()),
  failed: z.number(),
  /** What the first failure said. */
  failure: z.string().optional(),
});
export type LoadResult = z.output<typeof LoadResult>;

/** Milliseconds from asking, of one run. */
export interface Sample {
  first: number;
  end: number;
}

/** So many loops, each of which begins the next run when its last is over. */
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
