import { setTimeout as sleep } from "node:timers/promises";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { z } from "zod";
import { Agent, type AgentCall, callAgent, type Outcome } from "./agent.ts";
import { Finding } from "./conflicts.ts";
import { Temperature } from "./context.ts";
import { CallStatus, LedgerEntry } from "./ledger.ts";
import { WorkStep } from "./plan-of-work.ts";

const Work = z.object({
  summary: z.string().min(1).describe("In a sentence or two"),
  findings: z.array(Finding).describe("One by one"),
});

/** The outcome of a step. */
export const StepResult = z.object({
  status: CallStatus.describe("Outcome of the step"),
  work: Work.nullable().describe("Findings of the agent"),
  error: z.string().nullable().describe("Reason of a failure"),
  tries: z.number().int().describe("Number of tries"),
});

export type StepResult = z.infer<typeof StepResult>;

/** A step on its way to an agent. */
const Errand = z.object({
  step: WorkStep,
  agent: Agent,
  model: z.string().describe("The tier's model, for an agent without its own"),
  temperature: Temperature,
  needs: z.unknown().describe("Results of its dependencies, the only context that it sees"),
  tries: z.number().int().describe("Number of earlier tries"),
  stage: z.number().int().describe("Number of steps that start before it"),
  wave: z.string().describe("Wave in which it starts"),
});

export type Errand = z.infer<typeof Errand>;

/** The ledger entry of a call and its wave. A cached result keeps the wave that made it. */
export const Call = z.object({ step: z.string(), wave: z.string(), entry: LedgerEntry });
export type Call = z.infer<typeof Call>;

/**
 * Returns the cache key of an errand: the task, the agent and the needed results, but not the time or the tries. The step's id is part of
 * it, because a cached result is returned as it was written, under that id.
 */
export function keyOf(errand: unknown): string {
  const { step, agent, model, temperature, needs } = Errand.parse(errand);
  const { name, role, instructions } = agent;
  return JSON.stringify([
    name,
    role,
    instructions,
    agent.model ?? model,
    step.id,
    step.task,
    needs ?? null,
    ...(temperature === undefined ? [] : [temperature]),
  ]);
}

/** Sends a step to its agent, with a short delay after the steps that start before it. */
export async function doStep(
  { step, agent, model, temperature, needs, stage }: Errand,
  { limits, budget }: Pick<AgentCall<typeof Work>, "limits" | "budget">,
  config: LangGraphRunnableConfig,
): Promise<Outcome<z.infer<typeof Work>>> {
  await sleep(stage * limits.stageMs, undefined, { signal: config.signal });
  const answer = { name: "work", schema: Work };
  return callAgent({ agent, model, temperature, task: step.task, input: needs, answer, limits, budget }, config);
}

/** Returns the state update of an errand. */
export function writeResult({ step, tries, wave }: Errand, outcome: Outcome<z.infer<typeof Work>>) {
  const done = outcome.status === "success";
  const result: StepResult = {
    status: outcome.status,
    work: done ? outcome.result : null,
    error: done ? null : outcome.error,
    tries: tries + 1,
  };
  const call: Call = { step: step.id, wave, entry: outcome.entry };
  return { results: { [step.id]: result }, calls: [call] };
}

/** Thrown so that a failure is not cached: LangGraph's cache keeps whatever a node returns. */
export class StepFailed extends Error {
  override name = "StepFailedError";
  readonly outcome: Outcome<never>;

  constructor(outcome: Exclude<Outcome<never>, { status: "success" }>) {
    super(outcome.error);
    this.outcome = outcome;
  }
}

/** Returns the outcome that a failed step was thrown with. Only the message survives from an earlier attempt of the run. */
export function outcomeOf(error: Error, { step, agent, model }: Errand): Outcome<never> {
  if (error instanceof StepFailed) return error.outcome;
  if (error.name !== "StepFailedError") throw error;
  const used = { elapsedMs: 0, attempts: 1, inputTokens: 0, outputTokens: 0, dollars: 0 };
  const asked = { agent: agent.name, task: step.task, model: agent.model ?? model, at: new Date().toISOString() };
  return { status: "failed", error: error.message, entry: { ...asked, ...used, outcome: "failed", error: error.message } };
}

/** Returns the entry of a cached result, which cost nothing this time. */
export function asCached(entry: LedgerEntry): LedgerEntry {
  return { ...entry, elapsedMs: 0, attempts: 0, inputTokens: 0, outputTokens: 0, dollars: 0, cached: true };
}
