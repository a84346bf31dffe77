import { z } from "zod";
import type { ScenarioDefinition } from "../skills/definition.ts";

export const ScenarioStatus = z.enum(["pending", "running", "paused", "complete", "failed"]);
export type ScenarioStatus = z.infer<typeof ScenarioStatus>;

const Change = z.object({
  from: ScenarioStatus.describe("State before"),
  to: ScenarioStatus.describe("State after"),
  reason: z.string().describe("Reason"),
  at: z.string().describe("Time of the change"),
});

const Milestone = z.object({ percent: z.number().describe("Progress in percent"), atMs: z.number().describe("Working time until then") });

const BatchError = z.object({
  batch: z.number().int().describe("Number of the batch, from 0"),
  type: z.string().describe("Name of the error"),
  message: z.string().describe("Message of the error"),
});

/** The progress of a scenario, with all its measurements. */
export const ScenarioProgress = z.object({
  status: ScenarioStatus.describe("Current state"),
  reason: z.string().describe("Reason of the state"),
  percent: z.number().describe("Share of items that were worked on"),
  milestones: z.array(Milestone).describe("Working time at which each milestone was reached"),
  totalItems: z.number().int().describe("Total number of items"),
  items: z.number().int().describe("Processed items"),
  failedItems: z.number().int().describe("Failed items, one by one or with their batch"),
  batches: z.number().int().describe("Batches that are done or failed"),
  tries: z.number().int().describe("Failed tries of the current batch"),
  elapsedMs: z.number().describe("Working time, including pauses before retries, without waiting for others"),
  workMs: z.number().describe("Time spent on the items themselves"),
  memoryMb: z.number().describe("Most memory that was added to the process since its part of the work began, siblings included"),
  batchSize: z.number().int().describe("Items per batch. It falls near the memory limit."),
  warnings: z.array(z.string()).describe("Warnings, such as of memory"),
  tokens: z.number().describe("Tokens that its calls of models used"),
  dollars: z.number().describe("What those calls cost"),
  results: z.array(z.unknown()).describe("Result of each processed item"),
  scores: z.record(z.string(), z.number()).describe("Quality by metric"),
  quality: z.number().nullable().describe("Mean of the scores that count"),
  measures: z.record(z.string(), z.number()).describe("Other measurements of the skill"),
  errors: z.array(BatchError).describe("Errors by batch"),
  arrivedAt: z.number().describe("Time of the last arrival at a meeting point"),
  runId: z.string().describe("Last run that worked on it"),
  history: z.array(Change).describe("All changes of its state with their reasons"),
});

export type ScenarioProgress = z.infer<typeof ScenarioProgress>;

const marks = [0, 30, 50, 70, 90, 100];

/** The allowed transitions. A transition is forbidden when it is not here or when its guard refuses it. */
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

/** Moves a scenario to another state and records the reason. */
export function move(progress: ScenarioProgress, to: ScenarioStatus, reason: string): ScenarioProgress {
  const { status: from } = progress;
  if (!transitions[from][to]?.(progress)) {
    throw new Error(`A scenario at ${progress.percent} % cannot go from ${from} to ${to} (${reason}).`);
  }
  return { ...progress, status: to, reason, history: [...progress.history, { from, to, reason, at: new Date().toISOString() }] };
}

/** Returns the progress of scenarios that begin. Those that are kept stay as they are. */
export function beginAll(definitions: ScenarioDefinition[], runId: string, kept: Record<string, ScenarioProgress>) {
  return Object.fromEntries(definitions.map((one) => [one.name, kept[one.name] ?? beginning(one, runId)]));
}

function beginning({ inputSize: totalItems, batchSize }: ScenarioDefinition, runId: string): ScenarioProgress {
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
    batchSize,
    warnings: [],
    tokens: 0,
    dollars: 0,
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

/** Adds the processed items, and records the milestones that they reach. */
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
