import { z } from "zod";
import type { ScenarioDefinition } from "../skills/definition.ts";

export const ScenarioStatus = z.enum(["pending", "running", "paused", "complete", "failed"]);
export type ScenarioStatus = z.infer<typeof ScenarioStatus>;

const Change = z.object({
  from: ScenarioStatus.describe("State before the change"),
  to: ScenarioStatus.describe("State after the change"),
  reason: z.string().describe("Reason of the change"),
  at: z.string().describe("Time of the change"),
});

const Milestone = z.object({
  percent: z.number().describe("Progress in percent"),
  atMs: z.number().describe("Working time in milliseconds until the milestone"),
});

const BatchError = z.object({
  batch: z.number().int().describe("Number of the batch, from 0"),
  type: z.string().describe("Name of the error"),
  message: z.string().describe("Message of the error"),
});

/** The progress of a scenario, with all its measurements. */
export const ScenarioProgress = z.object({
  status: ScenarioStatus.describe("Current state"),
  reason: z.string().describe("Why the scenario is in this state"),
  percent: z.number().describe("Processed and failed items, in percent of all items"),
  milestones: z.array(Milestone).describe("Working time at which each milestone was reached"),
  totalItems: z.number().int().describe("Total number of items"),
  items: z.number().int().describe("Processed items"),
  failedItems: z.number().int().describe("Items that failed, alone or with their whole batch"),
  batches: z.number().int().describe("Batches that are done or failed"),
  tries: z.number().int().describe("Failed tries of the current batch"),
  elapsedMs: z.number().describe("Working time in milliseconds. It includes pauses before retries, but no waiting for other scenarios."),
  workMs: z.number().describe("Milliseconds spent on the items themselves"),
  memoryMb: z.number().describe("Highest memory that the process added since the segment began, in MB. It includes the other scenarios."),
  batchSize: z.number().int().describe("Items per batch. It is halved near the memory limit."),
  warnings: z.array(z.string()).describe("Warnings, such as about memory"),
  tokens: z.number().describe("Tokens that the model calls used"),
  dollars: z.number().describe("Cost of those calls"),
  results: z.array(z.unknown()).describe("Result of each processed item"),
  scores: z.record(z.string(), z.number()).describe("Quality by metric"),
  quality: z.number().nullable().describe("Mean of the scores that count for the quality"),
  measures: z.record(z.string(), z.number()).describe("Other measurements of the skill"),
  errors: z.array(BatchError).describe("Errors by batch"),
  arrivedAt: z.number().describe("Time at which the scenario last arrived at a meeting point"),
  runId: z.string().describe("Id of the last run that worked on the scenario"),
  history: z.array(Change).describe("All changes of the state, with their reasons"),
});

export type ScenarioProgress = z.infer<typeof ScenarioProgress>;

const marks = [0, 30, 50, 70, 90, 100];

/**
 * The allowed changes of a scenario's status, each with a guard. A change is refused if it is not in this table or if its guard returns
 * false.
 */
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

/** Moves a scenario to another state and records the reason. Throws if the change is not allowed. */
export function move(progress: ScenarioProgress, to: ScenarioStatus, reason: string): ScenarioProgress {
  const { status: from } = progress;
  if (!transitions[from][to]?.(progress)) {
    throw new Error(`A scenario at ${progress.percent} % cannot go from ${from} to ${to} (${reason}).`);
  }
  return { ...progress, status: to, reason, history: [...progress.history, { from, to, reason, at: new Date().toISOString() }] };
}

/** Returns the progress of all scenarios at the start of a run. Scenarios in `kept` start with their earlier progress. */
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

/** Adds the processed items to the progress, and records the milestones that are reached. */
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
