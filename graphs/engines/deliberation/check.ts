import { Overwrite } from "@langchain/langgraph";
import { tierOf } from "../../agent/context.ts";
import { BudgetExceeded, enforceBudget } from "../../agent/ledger.ts";
import { report } from "../../agent/progress.ts";
import { runAgent } from "../../agent/run-agent.ts";
import { pending } from "./answer.ts";
import { agreementOf, campsOf, Grouping, isConsensus, isTie, labelOf } from "./consensus.ts";
import type { View } from "./opinion.ts";
import { judge, prompts } from "./prompts.ts";
import type { Config, Deliberation, DeliberationContext, DeliberationSetup } from "./state.ts";

/**
 * Computes the agreement after a round, and decides whether another round follows. Returns without a change if some expert must still be
 * asked or asked again. Throws if fewer experts than the quorum have answered.
 */
export const check = (setup: DeliberationSetup) => async (state: Deliberation, config: Config) => {
  const startedAt = Date.now();
  const context = setup.contextOf(state, config);
  const used = budgetProblem(state, context);
  if (pending(setup, state).length > 0 && !used) return {};
  const { views, gaps } = gather(setup, state);
  const needed = Math.ceil(context.quorum * setup.expertsOf(state).length - 1e-9);
  if (views.length < needed) throw used ?? new Error(`${views.length} experts answered, and ${needed} are needed. ${gaps.join(" ")}`);
  const grouping = await group(setup, { state, views, isAffordable: !used }, config);
  const camps = campsOf(views, state.ballot, grouping.groups);
  const blockedBy = views.flatMap((view) => blockOf(view, context));
  const agreement = agreementOf(camps);
  const consensus = isConsensus(camps, context.threshold) && blockedBy.length === 0;
  const stopped = reasonToStop({ state, views, context, consensus, isBroke: used !== undefined });
  const [first] = camps;
  const isCounted = stopped === "consensus" || (stopped === "budget" && !isTie(camps) && blockedBy.length === 0);
  const by = stopped === "consensus" ? ("consensus" as const) : ("count" as const);
  report(config, setup.pattern, "check", startedAt, { round: state.round, agreement, consensus, stopped });
  return {
    ...{
      views,
      camps,
      blockedBy,
      agreement,
      consensus,
      stopped,
      rounds: [...state.rounds, views],
      gaps: [...state.gaps, ...gaps, ...grouping.gaps],
    },
    ...{ agreedPoints: grouping.agreed, disagreements: grouping.disputed, ledger: grouping.ledger },
    ...(isCounted && first && { decision: first.option, decidedBy: by, confidence: first.confidence }),
    ...(stopped === null && { round: state.round + 1, answers: new Overwrite([]) }),
  };
};

/** Returns an error if the budget is used up. */
function budgetProblem({ ledger }: Deliberation, { budget }: DeliberationContext): BudgetExceeded | undefined {
  try {
    enforceBudget(ledger, budget);
    return undefined;
  } catch (error) {
    if (error instanceof BudgetExceeded) return error;
    throw error;
  }
}

/** Returns the view of each expert after the round. An expert that failed keeps its earlier view, which is marked as stale. */
function gather(setup: DeliberationSetup, state: Deliberation): { views: View[]; gaps: string[] } {
  const { answers, views: before, round } = state;
  const gathered = setup.expertsOf(state).map(({ name }) => {
    const own = answers.filter(({ expert }) => expert === name);
    const earlier = before.find(({ expert }) => expert === name);
    const view =
      own.find((one) => one.view !== null)?.view ?? (earlier && { ...earlier, move: undefined, because: undefined, stale: true as const });
    const why = own.at(-1)?.error ?? "no work was begun any more";
    return { view, gap: own.some((one) => one.view !== null) ? undefined : `${name} gave no answer in round ${round}: ${why}` };
  });
  return {
    views: gathered.flatMap(({ view }) => view ?? []),
    gaps: gathered.flatMap(({ gap }) => gap ?? []),
  };
}

interface Grouped {
  state: Deliberation;
  views: View[];
  isAffordable: boolean;
}

/**
 * Lets the judge group positions that have the same meaning. Options and numbers are compared without a judge. If the judge gives no
 * answer, only positions in the same words count as equal.
 */
async function group(setup: DeliberationSetup, { state, views, isAffordable }: Grouped, config: Config) {
  const { options, scale } = state.ballot;
  const nothing = { groups: [], agreed: [], disputed: [], gaps: [] as string[], ledger: [] };
  if (options || scale || !isAffordable || views.length < 2) return nothing;
  const context = setup.contextOf(state, config);
  const input = views.map(({ position, reasons }, index) => ({ label: labelOf(index), position, reasons }));
  const errand = {
    agent: { ...judge, output: Grouping, timeoutSeconds: context.timeoutSeconds },
    ...{ task: prompts.group, input, pattern: setup.pattern, earlier: state.ledger },
  };
  const outcome = await runAgent<Grouping>({ ...tierOf(context, "judge"), ...errand }, config);
  const { ledger } = outcome;
  if (outcome.status === "success") return { ...outcome.result, gaps: [], ledger };
  return { ...nothing, gaps: [`The judge did not compare the positions (${outcome.error}), so only equal words count as equal.`], ledger };
}

function blockOf({ expert, veto, status }: View, { redBlocks }: DeliberationContext): string[] {
  if (veto !== null) return [`${expert}: ${veto}`];
  return redBlocks && status === "red" ? [`${expert}: status red`] : [];
}

interface Standing {
  state: Deliberation;
  views: View[];
  context: DeliberationContext;
  consensus: boolean;
  isBroke: boolean;
}

function reasonToStop({ state: { round }, views, context: { rounds }, consensus, isBroke }: Standing): Deliberation["stopped"] {
  if (consensus) return "consensus";
  if (isBroke) return "budget";
  if (rounds === 0) return "split";
  if (round > 0 && views.every(({ move, stale }) => stale || move === "keep")) return "stalemate";
  return round >= rounds ? "rounds" : null;
}
