import { z } from "zod";

export const ScenarioStatus = z.enum(["pending", "running", "paused", "complete", "failed"]);
export type ScenarioStatus = z.infer<typeof ScenarioStatus>;

const Change = z.object({
  from: ScenarioStatus.describe("Its state before"),
  to: ScenarioStatus.describe("Its state after"),
  reason: z.string().describe("Why"),
  at: z.string().describe("When"),
});

const Milestone = z.object({ percent: z.number().describe("How far it was"), atMs: z.number().describe("After how much time at work") });

const BatchError = z.object({
  batch: z.number().int().describe("Which batch, from 0 on"),
  type: z.string().describe("The error's name"),
  message: z.string().describe("What it says"),
});

/** How far a scenario has come, and everything that was measured on the way. */
export const ScenarioProgress = z.object({
  status: ScenarioStatus.describe("What it is doing"),
  reason: z.string().describe("Why it is in that state"),
  percent: z.number().describe("Items that were worked on, of all"),
  milestones: z.array(Milestone).describe("When each was reached, by time at work"),
  totalItems: z.number().int().describe("Items that there are"),
  items: z.number().int().describe("Items that were processed"),
  failedItems: z.number().int().describe("Items of batches that were given up"),
  batches: z.number().int().describe("Batches that are done or given up"),
  tries: z.number().int().describe("Failed tries of the batch in hand"),
  elapsedMs: z.number().describe("Time at work, with pauses before another try, without waiting for others"),
  workMs: z.number().describe("Time spent on the items themselves"),
  memoryMb: z.number().describe("The most memory that the process, siblings included, was seen to use"),
  results: z.array(z.unknown()).describe("What came of each item that was processed"),
  scores: z.record(z.string(), z.number()).describe("Quality, by metric"),
  quality: z.number().nullable().describe("The mean of the scores that count"),
  measures: z.record(z.string(), z.number()).describe("What else the skill measured"),
  errors: z.array(BatchError).describe("What went wrong, by batch"),
  arrivedAt: z.number().describe("When it last came to where it waits for the others"),
  runId: z.string().describe("The run that worked on it last"),
  history: z.array(Change).describe("Every change of its state, and why"),
});

export type ScenarioProgress = z.infer<typeof ScenarioProgress>;

const marks = [0, 30, 50, 70, 90, 100];

/** From which state to which: whatever is not here is forbidden, and so is what its guard refuses. */
const transitions: Record<ScenarioStatus, Partial<Record<ScenarioStatus, (progress: ScenarioProgress) => boolean>>> = {
  pending: { running: () => true, failed: () => true },
  running: { paused: (progress) => !isDone(progress), complete: isDone, failed: () => true },
  paused: { running: (progress) => !isDone(progress), failed: () => true },
  complete: {},
  failed: {},
};

function isDone({ items, failedItems, totalItems }: ScenarioProgress): boolean {
  return items + failedItems >= totalItems;
}

/** Takes a scenario into another state and writes down why. */
export function move(progress: ScenarioProgress, to: ScenarioStatus, reason: string): ScenarioProgress {
  const { status: from } = progress;
  if (!transitions[from][to]?.(progress)) {
    throw new Error(`A scenario at ${progress.percent} % cannot go from ${from} to ${to} (${reason}).`);
  }
  return { ...progress, status: to, reason, history: [...progress.history, { from, to, reason, at: new Date().toISOString() }] };
}

export function beginning(totalItems: number, runId: string): ScenarioProgress {
  return {
    status: "pending",
    reason: "planned",
    percent: 0,
    milestones: [],
    totalItems,
    items: 0,
    failedItems: 0,
    batches: 0,
    tries: 0,
    elapsedMs: 0,
    workMs: 0,
    memoryMb: 0,
    results: [],
    scores: {},
    quality: null,
    measures: {},
    errors: [],
    arrivedAt: 0,
    runId,
    history: [],
  };
}

/** Counts what was worked on, and notes the milestones that were passed with it. */
export function advance(progress: ScenarioProgress, { items = 0, failedItems = 0 }): ScenarioProgress {
  const worked = progress.items + progress.failedItems + items + failedItems;
  const percent = Math.floor((100 * worked) / progress.totalItems);
  const passed = marks.filter((mark) => mark <= percent && progress.milestones.every((reached) => reached.percent !== mark));
  return {
    ...progress,
    percent,
    items: progress.items + items,
    failedItems: progress.failedItems + failedItems,
    batches: progress.batches + 1,
    tries: 0,
    milestones: [...progress.milestones, ...passed.map((mark) => ({ percent: mark, atMs: Math.round(progress.elapsedMs) }))],
  };
}

export const isOver = ({ status }: ScenarioProgress) => status === "complete" || status === "failed";
