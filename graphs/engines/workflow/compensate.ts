import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { report } from "../../agent/progress.ts";
import { appending } from "../../agent/state.ts";
import { perform } from "../doing.ts";
import { type Config, hasStopped, type Setup } from "./nodes.ts";
import { inputOf, readySteps } from "./settle.ts";
import type { WorkflowValues } from "./state.ts";
import type { Step } from "./step.ts";

const mostTries = 4;
const firstPauseMs = 500;

const Compensation = z.object({
  step: z.string().describe("Step that was undone"),
  outcome: z.enum(["success", "failed"]).describe("Outcome of the compensation"),
  error: z.string().nullable().describe("Why the compensation failed"),
  tries: z.number().int().describe("Number of tries"),
});

export const compensations = appending(Compensation, "Compensations in the order in which they were done");

export interface CompensatedValues extends WorkflowValues {
  compensations: z.infer<typeof Compensation>[];
  /** True if the run only undoes the steps of the thread's previous run. */
  undo?: boolean;
  /** The step of an earlier run, if this run does nothing but undo that step. Otherwise null or undefined. */
  undoOnly?: object | null;
}

/**
 * Returns the steps to undo, the last completed one first. A step that timed out may have had its effect, so it counts as completed. A step
 * that was running when the run was cancelled counts as well. After a pivot has succeeded, no step is undone.
 */
export function toUndo(state: CompensatedValues): Step[] {
  const { steps, results, order, compensations } = state;
  if (steps.some(({ id, pivot }) => pivot && results[id]?.status === "success")) return [];
  const unsure = steps.filter(({ id }) => results[id]?.status === "timeout");
  const inFlight = hasStopped(state) ? [] : readySteps(state).filter((step) => step.needs.length === 0 || order.length > 0);
  const done = order.map((id) => steps.find((step) => step.id === id)).filter((step) => step !== undefined);
  const undone = new Set(compensations.map(({ step }) => step));
  return [...new Set([...done, ...unsure, ...inFlight])].reverse().filter(({ id, compensate }) => compensate && !undone.has(id));
}

/**
 * Undoes one step. Tries several times, with growing pauses. If a compensation fails, the failure is recorded and the next compensation
 * follows.
 */
export const compensate = (setup: Setup) => async (state: CompensatedValues, config: Config) => {
  const [step] = toUndo(state);
  if (!step?.compensate) return {};
  const startedAt = Date.now();
  const { id, timeoutSeconds } = step;
  const around = { pattern: setup.name, code: setup.code, agents: state.agents, context: setup.contextOf(config) };
  const input = { step: id, input: inputOf(step, state), output: state.results[id]?.output ?? null };
  const errand = { name: `${id} (compensation)`, do: step.compensate, input, notes: [], timeoutSeconds, speaks: false };
  let tries = 0;
  let outcome: Awaited<ReturnType<typeof perform>>;
  const ledger = [];
  do {
    if (tries > 0) await sleep(firstPauseMs * 2 ** (tries - 1), undefined, { signal: config.signal });
    outcome = await perform(errand, around, config);
    ledger.push(...outcome.ledger);
    tries++;
  } while (outcome.status !== "success" && !outcome.isFatal && tries < mostTries);
  const error = outcome.status === "success" ? null : outcome.error;
  report(config, setup.name, "compensation", startedAt, { step: id, status: outcome.status });
  return { compensations: [{ step: id, outcome: error === null ? "success" : "failed", error, tries }], ledger };
};
