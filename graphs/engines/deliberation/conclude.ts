import { tierOf } from "../../agent/context.ts";
import { BudgetExceeded } from "../../agent/ledger.ts";
import { runAgent } from "../../agent/run-agent.ts";
import { answerWith, taskOf } from "../../agent/task.ts";
import { sharedPoints } from "./consensus.ts";
import { movesIn } from "./opinion.ts";
import { chair, prompts, shown } from "./prompts.ts";
import type { Config, Deliberation, DeliberationSetup } from "./state.ts";

/**
 * Collects the dissent, the shared points and the changes of position, and lets the chair write a text about the decision. The text is
 * streamed, and cannot change the decision.
 */
export const conclude = (setup: DeliberationSetup) => async (state: Deliberation, config: Config) => {
  const { camps, views, rounds, decision, gaps } = state;
  const context = setup.contextOf(state, config);
  const winners = camps.find(({ option }) => option === decision)?.experts ?? [];
  const dissent = views.filter(({ expert }) => !winners.includes(expert));
  const facts = {
    dissent,
    agreedPoints: state.agreedPoints.length > 0 ? state.agreedPoints : sharedPoints(views),
    disagreements:
      state.disagreements.length > 0 || camps.length < 2
        ? state.disagreements
        : camps.map(({ option, experts }) => `${option}: ${experts.join(", ")}`),
    moves: movesIn(rounds),
  };
  const errand = {
    agent: { ...chair, timeoutSeconds: context.timeoutSeconds },
    task: prompts.report(taskOf(state)),
    input: { ...outcomeOf(state), views: views.map((view) => ({ expert: view.expert, ...shown(view) })), missing: gaps },
    ...{ pattern: setup.pattern, earlier: state.ledger, quiet: false },
  };
  const outcome = await runAgent<string>({ ...tierOf(context, "judge"), ...errand }, config).catch((error: Error) => {
    if (error instanceof BudgetExceeded) return undefined;
    throw error;
  });
  if (outcome?.status === "success")
    return { ...facts, result: outcome.result, messages: answerWith(outcome.result, outcome.message), ledger: outcome.ledger };
  const result = inWords({ ...state, dissent });
  const problem = outcome && [...gaps, `The chair wrote nothing: ${outcome.error}`];
  return { ...facts, result, messages: answerWith(result), ...(problem && { gaps: problem }), ledger: outcome?.ledger ?? [] };
};

const outcomeOf = ({ decision, decidedBy, agreement, reasoning, blockedBy, stopped, rounds }: Deliberation) => ({
  ...{ decision, decidedBy, agreement: Math.round(agreement * 100) / 100, reasoning, blockedBy, stopped, rounds: rounds.length },
});

/** Describes the decision in words without calling a model. Used if the chair could not write its text. */
function inWords({ decision, decidedBy, agreement, dissent, blockedBy }: Deliberation): string {
  const against = dissent.length > 0 ? ` Dissent: ${dissent.map(({ expert, position }) => `${expert}: ${position}`).join("; ")}.` : "";
  if (blockedBy.length > 0 && decision === null) return `There is no decision. Blocked by ${blockedBy.join("; ")}.${against}`;
  if (decision === null) return `There is no decision.${against}`;
  return `Decision: ${decision} (by ${decidedBy}, agreement ${Math.round(agreement * 100)} %).${against}`;
}
