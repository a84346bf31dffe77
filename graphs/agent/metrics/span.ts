import { z } from "zod";

/** The times of a task, in milliseconds since 1970. */
export const Span = z.object({
  readyAt: z.number().describe("When the task could begin, because what it needs had ended"),
  startedAt: z.number().describe("When the work on its first try began"),
  endedAt: z.number().describe("When its last try ended"),
  failedAt: z.number().optional().describe("When its first failed try ended"),
  waitedMs: z.number().describe("Milliseconds that its tries waited for resources"),
  resumedAt: z.number().optional().describe("When the answer of a person continued the run in which the last try was made"),
});
export type Span = z.infer<typeof Span>;

/** The times of one try of a task, and whether the try failed. */
export interface TryTimes extends Omit<Span, "failedAt" | "resumedAt"> {
  resumedAt: number | undefined;
  isFailure: boolean;
}

/** Returns the span of a task after a try. `before` is its span before this try. */
export function spanAfter(before: Span | undefined, { isFailure, resumedAt, ...now }: TryTimes): Span {
  const failedAt = before?.failedAt ?? (isFailure ? now.endedAt : undefined);
  return {
    readyAt: before?.readyAt ?? now.readyAt,
    startedAt: before?.startedAt ?? now.startedAt,
    endedAt: now.endedAt,
    waitedMs: (before?.waitedMs ?? 0) + now.waitedMs,
    ...(failedAt !== undefined && { failedAt }),
    ...(resumedAt !== undefined && { resumedAt }),
  };
}

/** Returns when a task became ready: the latest end of the tasks in `needs`, or `otherwise` if no task in `needs` has ended. */
export function readyAfter(needs: (Span | undefined)[], otherwise: number): number {
  const ends = needs.flatMap((span) => (span ? [span.endedAt] : []));
  return ends.length === 0 ? otherwise : Math.max(...ends);
}
