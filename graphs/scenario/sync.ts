import { z } from "zod";
import { isOver, type ScenarioProgress, ScenarioStatus } from "./progress.ts";
import type { Segment } from "./state.ts";

export const Mode = z.enum(["free", "milestone", "lockstep"]);
export type Mode = z.infer<typeof Mode>;

/** The maximum time in milliseconds that scenarios wait for a slow scenario, counted from the start of the work on the segment. */
const segmentLimitMs = 60_000;

/** The record of the end of a segment, where the scenarios wait for each other. It has the progress of each scenario. */
export const Sync = z.object({
  segment: z.number().int().describe("Number of the segment that ended"),
  percent: z.number().describe("Progress in percent at which the scenarios should meet"),
  at: z.string().describe("Time at which the scenarios continued"),
  members: z
    .array(
      z.object({
        scenario: z.string().describe("Name of the scenario"),
        status: ScenarioStatus.describe("State of the scenario"),
        percent: z.number().describe("Progress of the scenario in percent"),
        arrived: z.boolean().describe("Whether the scenario had reached the end of the segment"),
        waitedMs: z.number().describe("Milliseconds that the scenario waited for the other scenarios"),
      }),
    )
    .describe("Progress of each scenario at the meeting"),
});

export type Sync = z.infer<typeof Sync>;

/**
 * Returns the next segment. Depending on the mode, the segment ends at the next milestone, after one batch, or when all items are done.
 * Only a segment that ends at a milestone has a time limit.
 */
export function nextSegment(mode: Mode, milestones: number[], before: Segment | null): Segment {
  const number = (before?.number ?? 0) + 1;
  const place = milestones.toSorted((a, b) => a - b).find((milestone) => milestone > (before?.percent ?? 0));
  const percent = mode === "milestone" ? (place ?? 100) : 100;
  const limitMs = percent < 100 ? segmentLimitMs : null;
  return { number, percent, oneBatch: mode === "lockstep", limitMs };
}

export function syncOf(segment: Segment, progress: Record<string, ScenarioProgress>): Sync {
  const now = Date.now();
  const members = Object.entries(progress).map(([scenario, { status, percent, arrivedAt }]) => ({
    scenario,
    status,
    percent,
    arrived: status !== "failed" && (segment.oneBatch || percent >= segment.percent),
    waitedMs: status === "paused" ? now - arrivedAt : 0,
  }));
  return { segment: segment.number, percent: segment.percent, at: new Date(now).toISOString(), members };
}

export const remaining = (progress: Record<string, ScenarioProgress>) => Object.values(progress).some((one) => !isOver(one));
