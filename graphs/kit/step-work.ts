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

/** What came of a step. */
export const StepResult = z.object({
  status: CallStatus.describe("What came of the step"),
  work: Work.nullable().describe("What the agent found"),
  error: z.string().nullable().describe("Why there is nothing"),
  tries: z.number().int().describe("How often it was tried"),
});

export type StepResult = z.infer<typeof StepResult>;

/** A step on its way to an agent. */
const Errand = z.object({
  step: WorkStep,
  agent: Agent,
  model: z.string().describe("The tier's model, for an agent that has none of its own"),
  temperature: Temperature,
  needs: z.unknown().describe("The results that it depends on, its only context"),
  tries: z.number().int().describe("How often it was tried before"),
  stage: z.number().int().describe("How many others start before it"),
  wave: z.string().describe("The wave in which it is sent out"),
});

export type Errand = z.infer<typeof Errand>;

/** What a call cost, and in which wave it was made; a result that is found again still tells of the wave that made it. */
export const Call = z.object({ step: z.string(), wave: z.string(), entry: LedgerEntry });
export type Call = z.infer<typeof Call>;

/**
 * What makes two errands the same: what is asked, of whom, and about what; not when, and not how often it was tried. The step's id is
 * part of it, because a node's result is found again as it was written: under that id.
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

/** Sends a step to its agent, a little after those that start before it. */
export async function doStep(
  { step, agent, model, temperature, needs, stage }: Errand,
  { limits, budget }: Pick<AgentCall<typeof Work>, "limits" | "budget">,
  config: LangGraphRunnableConfig,
): Promise<Outcome<z.infer<typeof Work>>> {
  await sleep(stage * limits.stageMs, undefined, { signal: config.signal });
  const answer = { name: "work", schema: Work };
  return callAgent({ agent, model, temperature, task: step.task, input: needs, answer, limits, budget }, config);
}

/** What an errand leaves in the state. */
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

/** Thrown so that a failure is not remembered: LangGraph's cache keeps whatever a node returns. */
export class StepFailed extends Error {
  override name = "StepFailedError";
  readonly outcome: Outcome<never>;

  constructor(outcome: Exclude<Outcome<never>, { status: "success" }>) {
    super(outcome.error);
    this.outcome = outcome;
  }
}

/** The outcome that a failed step was thrown with. From an earlier attempt of the run only the words come back. */
export function outcomeOf(error: Error, { step, agent, model }: Errand): Outcome<never> {
  if (error instanceof StepFailed) return error.outcome;
  if (error.name !== "StepFailedError") throw error;
  const used = { elapsedMs: 0, attempts: 1, inputTokens: 0, outputTokens: 0, dollars: 0 };
  const asked = { agent: agent.name, task: step.task, model: agent.model ?? model, at: new Date().toISOString() };
  return { status: "failed", error: error.message, entry: { ...asked, ...used, outcome: "failed", error: error.message } };
}

/** The entry of a result that was found in the cache: it cost nothing this time. */
export function asCached(entry: LedgerEntry): LedgerEntry {
  return { ...entry, elapsedMs: 0, attempts: 0, inputTokens: 0, outputTokens: 0, dollars: 0, cached: true };
}
