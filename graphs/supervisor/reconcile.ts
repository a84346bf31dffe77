import { askAnswer, type LedgerEntry, runAgent, tierOf } from "ensemble/patterns";
import { z } from "zod";
import {
  type Conflict,
  compareGroups,
  compareWords,
  findingsIn,
  Grouping,
  needsJudge,
  recommendationsOf,
  type Strategy,
  type View,
} from "./conflicts.ts";
import type { Config, Setup } from "./context.ts";
import { isFailure } from "./dispatch.ts";
import { askJudge, teamOf } from "./judge.ts";
import { leading } from "./leader.ts";
import { judge, prompts } from "./prompts.ts";
import { settleByChoice, settleByCount } from "./settlement.ts";
import type { Node, StepResult, Supervised } from "./state.ts";

/**
 * Finds contradictions between the findings of agents. The findings are compared by their words. If words are not enough (see
 * `needsJudge`), the judge groups the findings by their meaning. If the judge fails, only the words count.
 */
export function reconcile(setup: Setup): Node {
  return async (state, config) => {
    const views = viewsOf(setup, state);
    const results = skipped(state);
    if (!needsJudge(views)) return { ...compareWords(views), results };
    const context = setup.contextOf(config);
    const input = views.map(({ weight: _, ...view }, number) => ({ number, ...view }));
    const agent = { ...leading(judge, context), output: Grouping };
    const about = { agent, task: prompts.group, input };
    const assignment = { ...about, ...tierOf(context, "judge"), pattern: "supervisor", earlier: state.ledger };
    const outcome = await runAgent<z.infer<typeof Grouping>>(assignment, config);
    const compared = outcome.status === "success" ? compareGroups(views, outcome.result) : compareWords(views);
    return { ...compared, results, ledger: outcome.ledger };
  };
}

/** Asks a person to settle contradictions. This node calls no model, because each answer makes it run again from its beginning. */
export function askAboutConflicts(setup: Setup): Node {
  return ({ conflicts }, config) => {
    const context = setup.contextOf(config);
    const { askTimeoutSeconds: timeoutSeconds } = context;
    const settlements = conflicts.filter(isForPerson(context)).map((conflict) => {
      const prompt = `What should be done about "${conflict.subject}"?`;
      const recommendation = askAnswer(prompt, recommendationsOf(conflict), { details: conflict.views, timeoutSeconds });
      return recommendation && settleByChoice(conflict, "human", { recommendation, reason: "A person decided.", confidence: 1 });
    });
    return { settlements: settlements.filter((settlement) => settlement !== undefined && settlement !== "") };
  };
}

/**
 * Settles the contradictions that no person has settled. The setting `conflicts` names the measure that decides, and the judge decides a
 * tie. If a person was asked but did not answer, the highest confidence decides.
 */
export function settle(setup: Setup): Node {
  return async ({ conflicts, settlements, ledger: before }, config) => {
    const { conflicts: strategy } = setup.contextOf(config);
    const settled = [...settlements];
    const spent: LedgerEntry[] = [];
    for (const conflict of conflicts.filter(({ subject }) => settlements.every((one) => one.subject !== subject))) {
      const settlement = countedBy(strategy, conflict) ?? (await arbitrate(setup, conflict, { before, spent }, config));
      if (settlement) settled.push(settlement);
    }
    return { settlements: settled, ledger: spent };
  };
}

/**
 * Settles a conflict without asking the judge, by the measure that the strategy names. A conflict about a resource is settled by priority
 * if possible. Returns undefined if only the judge can decide.
 */
function countedBy(strategy: Strategy, conflict: Conflict) {
  const settled = conflict.kind === "resource" ? settleByCount(conflict, "priority") : undefined;
  if (settled || strategy === "arbitration") return settled;
  return settleByCount(conflict, strategy === "human" ? "confidence" : strategy);
}

/**
 * Tells whether a person settles a conflict. If the setting `conflicts` is `human`, a person settles all conflicts. Otherwise, a person
 * settles only conflicts of the kind `strategy`, and only if `onFailures` is `ask`.
 */
const isForPerson =
  ({ conflicts, onFailures }: ReturnType<Setup["contextOf"]>) =>
  ({ kind }: Conflict) =>
    conflicts === "human" || (kind === "strategy" && onFailures === "ask");

async function arbitrate(setup: Setup, conflict: Conflict, ledgers: { before: LedgerEntry[]; spent: LedgerEntry[] }, config: Config) {
  const schema = z.object({ winner: z.enum(recommendationsOf(conflict)), reason: z.string(), confidence: z.number().min(0).max(1) });
  const question = { task: prompts.arbitrate(conflict.subject), input: conflict.views, schema, ...ledgers };
  const { winner, ...ruling } = await askJudge(setup, question, config);
  return settleByChoice(conflict, "arbitration", { ...ruling, recommendation: winner });
}

/** Returns the next node after `reconcile`: a question to a person, the settlement, or the report if there are no contradictions. */
export const afterReconcile =
  (setup: Setup) =>
  ({ conflicts }: Supervised, config: Config): "askAboutConflicts" | "settle" | "synthesize" => {
    if (conflicts.length === 0) return "synthesize";
    return conflicts.some(isForPerson(setup.contextOf(config))) ? "askAboutConflicts" : "settle";
  };

/** Returns the findings of all steps, each with its agent and the agent's weight. */
export function viewsOf(setup: Setup, { steps, results, roster }: Supervised): View[] {
  const team = teamOf(setup, roster);
  return steps.flatMap(({ id, agent }) => {
    const { weight = 1 } = team.find(({ name }) => name === agent) ?? {};
    return findingsIn(results[id]?.work).map((finding) => ({ ...finding, agent, weight }));
  });
}

/** Returns the outcome `skipped` and a reason for each step that depends on a failed step. */
function skipped({ steps, results }: Supervised): Record<string, StepResult> {
  const isLost = (id: string): boolean => (results[id] ? isFailure(results[id]) : causeOf(id) !== undefined);
  const causeOf = (id: string) => steps.find((step) => step.id === id)?.dependsOn.find(isLost);
  const left = steps.filter(({ id }) => !results[id]);
  return Object.fromEntries(
    left.map(({ id }) => {
      const cause = causeOf(id);
      const error = cause === undefined ? "skipped, because the work ended before" : `skipped, because ${cause} did not succeed`;
      return [id, { status: "skipped", work: null, error, isFatal: false, tries: 0 }];
    }),
  );
}
