import { z } from "zod";
import { isOver, type ScenarioProgress, ScenarioStatus } from "./progress.ts";
import type { Segment } from "./state.ts";

export const Mode = z.enum(["free", "milestone", "lockstep"]);
export type Mode = z.infer<typeof Mode>;

/** The longest time that others wait for a slow scenario, from the start of the work on the segment. */
const segmentLimitMs = 60_000;

/** A point where the scenarios met. */
export const Sync = z.object({
  segment: z.number().int().describe("Segment that ended there"),
  percent: z.number().describe("Percent at which they were to meet"),
  at: z.string().describe("Time at which they went on"),
  members: z
    .array(
      z.object({
        scenario: z.string().describe("Name of the scenario"),
        status: ScenarioStatus.describe("Its state"),
        percent: z.number().describe("Its progress in percent"),
        arrived: z.boolean().describe("Whether it had arrived"),
        waitedMs: z.number().describe("How long it waited for the others"),
      }),
    )
    .describe("Progress of each scenario at that point"),
});

export type Sync = z.infer<typeof Sync>;

/**
 * Returns the next segment: to the next milestone, one batch, or all the rest. The last one has no time limit, because all scenarios
 * finish it.
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
