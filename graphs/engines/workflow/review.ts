import { askAnswer } from "../../agent/ask-human.ts";
import type { Config, Setup } from "./nodes.ts";
import { settled } from "./nodes.ts";
import type { WorkflowValues } from "./state.ts";

/** The answers with which a reviewer approves an output. */
const approvals = ["", "ok", "yes", "approve", "approved", "fine"];

/**
 * Asks a person about each output that a person must approve. If the person wants a change, the step runs again with its output and the
 * request. If nobody answers in time, the output is accepted.
 */
export const askReviewer = (setup: Setup) => (state: WorkflowValues, config: Config) => {
  const { askTimeoutSeconds: timeoutSeconds = null } = setup.contextOf(config);
  const open = Object.entries(state.results).filter(([, { isOpen }]) => isOpen);
  const seen = open.map(([id, { isOpen: _, ...result }]) => {
    const prompt = `Is the result of "${id}" right? Answer "approve", or say what should be different.`;
    const answer = askAnswer(prompt, undefined, { details: result.output, timeoutSeconds }) ?? "";
    if (approvals.includes(answer.trim().toLowerCase())) return [id, { ...result, isOver: true }] as const;
    const output = typeof result.output === "string" ? result.output : JSON.stringify(result.output);
    const error = `A person read the result and wants this changed: ${answer}\nThe result was: ${output.slice(0, 20_000)}`;
    return [id, { ...result, status: "failed" as const, error, tries: 0, isOver: false }] as const;
  });
  const results = Object.fromEntries(seen);
  const next = settled(setup, { ...state, results: { ...state.results, ...results } });
  return { ...next, results: { ...results, ...next.results } };
};
