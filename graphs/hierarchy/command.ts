import { Send } from "@langchain/langgraph";
import { type Budget, budgetLeft, type Span } from "ensemble/patterns";
import { needsOf, readySteps } from "../supervisor/dispatch.ts";
import type { WorkStep } from "../supervisor/plan.ts";
import { prompts } from "../supervisor/prompts.ts";
import type { Setup } from "./context.ts";
import { divide } from "./divide.ts";
import type { SquadReport } from "./report-up.ts";
import type { SquadState } from "./squads.ts";
import { type Commanded, type Config, isNodeName } from "./state.ts";

/** The input of a squad for one objective. */
export interface Order {
  step: WorkStep;
  squad: SquadState;
  /** The text of the objective. If a person gave advice or an earlier try failed, the advice and the error are added to the text. */
  task: string;
  needs: unknown;
  /** The report of the earlier try, so that the squad does not repeat work. Undefined on the first try. */
  before?: SquadReport;
  tries: number;
  /** The times of the earlier tries. Undefined on the first try. */
  span: Span | undefined;
  /** The number of squads in the wave that start before this squad. The squad waits `limits.stageMs` for each of them. */
  stage: number;
  wave: string;
  budget: Budget;
  /** The number of the squad's workers that may work in parallel. */
  parallel: number;
}

/** Sends the next objective to each squad that has none. If no objective is left, the reports are reconciled. */
export const command =
  (setup: Setup) =>
  (state: Commanded, config: Config): Send[] | "reconcile" => {
    const { limits } = setup.contextOf(config);
    const { results, reports, squads, wave, advice, grants, spans } = state;
    const ready = readySteps(state);
    const first = ready.filter(({ agent }, index) => ready.findIndex((other) => other.agent === agent) === index);
    const steps = first.slice(0, limits.parallel); // `first` has one objective for each squad, because a squad pursues only one at a time
    if (steps.length === 0) return "reconcile";
    const budgets = budgetsFor(setup, steps, state, config);
    const wanted = steps.map(({ id, agent }) => grants[id]?.agents ?? squads[agent]?.limits.parallel);
    const workers = divide(limits.parallel, wanted);
    return steps.map((step, stage) => {
      const { tries = 0, error } = results[step.id] ?? {};
      const order: Order = {
        ...{ step, squad: squads[step.agent] as SquadState, task: prompts.step(step.task, { advice, error }), needs: needsOf(step, state) },
        ...{
          before: reports[step.id],
          span: spans[step.id],
          tries,
          stage,
          wave,
          budget: budgets[stage] as Budget,
          parallel: workers[stage] as number,
        },
      };
      return new Send(setup.graphs.has(step.agent) && isNodeName(step.agent) && !order.squad.roster ? step.agent : "squad", order);
    });
  };

/**
 * Returns the budget of each squad in a wave. The rest of the run's budget is divided among all open objectives, in proportion to the
 * shares of their squads. The commander keeps one share for its own calls. If the commander has granted tokens for an objective, the squad
 * gets these tokens in place of its share.
 */
function budgetsFor(setup: Setup, steps: WorkStep[], { steps: all, results, squads, grants, ledger }: Commanded, config: Config): Budget[] {
  const left = budgetLeft(ledger, setup.contextOf(config).budget);
  const shareOf = ({ agent }: WorkStep) => squads[agent]?.share ?? 1;
  const open = all.filter((step) => steps.includes(step) || !results[step.id]);
  const granted = steps.map(({ id }) => Math.min(grants[id]?.tokens ?? 0, left.tokens ?? 0));
  const rest = Math.max(0, (left.tokens ?? 0) - granted.reduce((sum, one) => sum + one, 0));
  const shares = 1 + open.reduce((sum, step) => sum + shareOf(step), 0);
  return steps.map((step, index) => {
    const part = shareOf(step) / shares;
    const tokens = granted[index] || Math.floor(rest * part);
    return {
      ...left,
      ...(left.tokens !== undefined && { tokens: Math.max(1, tokens) }),
      ...(left.dollars !== undefined && { dollars: Math.max(1e-9, left.dollars * part) }),
    };
  });
}
