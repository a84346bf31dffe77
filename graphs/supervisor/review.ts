import { randomUUID } from "node:crypto";
import { Overwrite } from "@langchain/langgraph";
import { z } from "zod";
import { type AskTimeout, askAnswer } from "../kit/ask-human.ts";
import { enforceBudget } from "../kit/ledger.ts";
import { problemsOf, stepFor, type WorkStep } from "../kit/plan-of-work.ts";
import { report } from "../kit/progress.ts";
import { requireAgent } from "../kit/require.ts";
import type { StepResult } from "../kit/step-work.ts";
import { contextOf } from "./context.ts";
import { judging } from "./judge.ts";
import type { Node, Supervised } from "./state.ts";

const mostTries = 3; // the first one, and two retries by the same agent or another
const mostAdditions = 3;

const reviewFor = (roster: string[]) =>
  z.object({
    decision: z.enum(["continue", "finish"]),
    reason: z.string(),
    retry: z
      .array(
        z.object({ id: z.string(), agent: z.string().optional().meta({ description: "Another agent, to reassign it", enum: roster }) }),
      )
      .default([]),
    add: z.array(stepFor(roster)).default([]).describe("Steps that turned out to be needed"),
  });

/**
 * Reviews each wave: continue, retry a failed step, add steps, or finish. Unreachable steps are skipped, and their results are never
 * invented.
 */
export const review: Node = async (state, config) => {
  const { roster, budget, limits, onFailures, askTimeoutSeconds } = contextOf(config);
  enforceBudget(state.ledger, budget);
  const failed = state.steps.filter(({ id }) => isFailure(state.results[id]));
  if (failed.length >= limits.failures) return settleFailures(state, failed, onFailures, askTimeoutSeconds);
  const names = roster.map(({ name }) => name);
  const progress = state.steps.map(({ id, agent, task }) => ({ id, agent, task, ...shortly(state.results[id]) }));
  const { result, entry } = await requireAgent(
    { ...judging(config, `Review the work on: ${state.task}`, progress), answer: { name: "review", schema: reviewFor(names) } },
    config,
  );
  report(config, "supervisor", "review", Date.parse(entry.at), { decision: result.decision, reason: result.reason });
  const again = result.retry.filter(({ id }) => failed.some((step) => step.id === id) && (state.results[id]?.tries ?? 0) < mostTries);
  const reassigned = state.steps.map((step) => {
    const agent = again.find(({ id }) => id === step.id)?.agent;
    return agent && names.includes(agent) ? { ...step, agent } : step;
  });
  const mayAdd =
    state.additions < mostAdditions &&
    problemsOf(
      result.add,
      names,
      state.steps.map(({ id }) => id),
    ).length === 0;
  const added = result.decision === "continue" && mayAdd ? result.add : [];
  return {
    steps: [...reassigned, ...added],
    // Keeps the steps that were to be retried and had no place in this wave.
    again: { ...state.again, ...Object.fromEntries(again.map(({ id }) => [id, state.results[id]?.tries ?? 0])) },
    additions: state.additions + (added.length > 0 ? 1 : 0),
    finished: result.decision === "finish",
    wave: randomUUID(),
    ledger: [entry],
  };
};

/** Asks a person to decide after too many failures. Without a person or an answer it continues by itself. */
function settleFailures({ steps, results }: Supervised, failed: WorkStep[], onFailures: "ask" | "partial", timeoutSeconds: AskTimeout) {
  if (onFailures === "partial") return { finished: true };
  const done = steps.filter(({ id }) => results[id]?.status === "success").length;
  const prompt = `${done} of ${steps.length} done; failed: ${failed.map(({ id }) => `${id} (${results[id]?.error})`).join(", ")}.`;
  const choice = askAnswer(prompt, ["retry", "accept"], { timeoutSeconds });
  if (choice !== "retry") return { finished: true };
  const kept = Object.entries(results).filter(([id]) => failed.every((step) => step.id !== id));
  return { results: new Overwrite(Object.fromEntries(kept)), wave: randomUUID() }; // as if they had not been tried
}

const isFailure = (result: StepResult | undefined) => result?.status === "failed" || result?.status === "timeout";
const shortly = (result: StepResult | undefined) =>
  result ? { status: result.status, summary: result.work?.summary, error: result.error } : { status: "waiting" };
