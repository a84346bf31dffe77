import { setTimeout as sleep } from "node:timers/promises";
import { Overwrite, Send } from "@langchain/langgraph";
import { type Budget, tierOf } from "../../agent/context.ts";
import { BudgetExceeded, budgetLeft } from "../../agent/ledger.ts";
import { report } from "../../agent/progress.ts";
import { runAgent } from "../../agent/run-agent.ts";
import { beginTask, taskOf } from "../../agent/task.ts";
import { labelOf } from "./consensus.ts";
import { type Ballot, opinionFor, View } from "./opinion.ts";
import { prompts, rules, shown } from "./prompts.ts";
import type { Answer, Config, Deliberation, DeliberationSetup, Expert } from "./state.ts";

/** The maximum number of tries of an expert in one round. */
const mostTries = 2;

/** The input for one expert in one round. */
export interface Errand {
  expert: string;
  question: string;
  material: unknown;
  ballot: Ballot;
  round: number;
  /** The expert's own view from the previous round. Null if the expert has no view yet. */
  own: View | null;
  /** The views of the other experts from the previous round, by their labels. */
  others: Record<string, object>;
  /** The error of the expert's last try in this round. Null if no try has failed. */
  error: string | null;
  /** The number of parallel experts that start before this expert. The starts are `limits.stageMs` apart. */
  stage: number;
  budget: Budget;
  rules: unknown;
}

/** Begins a run. Clears the values of an earlier run on the thread. */
export const begin = (setup: DeliberationSetup) => (state: Deliberation, config: Config) => {
  const asked = { messages: state.messages, task: state.question ?? state.task };
  const rules = config.context ?? {};
  setup.contextOf({ rules }, config);
  return {
    ...{ ...beginTask(asked), rules, round: 0, rounds: [], views: [], camps: [], agreement: 0, consensus: false, blockedBy: [] },
    ...{ stopped: null, decision: null, decidedBy: null, reasoning: null, confidence: 0, dissent: [], agreedPoints: [] },
    ...{ disagreements: [], moves: [], gaps: [], result: null, answers: new Overwrite([]), ledger: new Overwrite([]) },
  };
};

/**
 * Returns the experts that must still be asked in this round: those that have no answer yet, have a try left, and may succeed in another
 * try.
 */
export function pending(setup: DeliberationSetup, state: Deliberation): Expert[] {
  return setup.expertsOf(state).filter(({ name }) => {
    const tries = state.answers.filter(({ expert }) => expert === name);
    return tries.length < mostTries && tries.every(({ view, isFatal }) => view === null && !isFatal);
  });
}

/** Sends the question to the experts that have not answered, up to the limit of parallel work. */
export function sendAll(setup: DeliberationSetup, state: Deliberation, config: Config): Send[] {
  const { limits, budget, named } = setup.contextOf(state, config);
  const { material, ballot, round, rules, views, answers } = state;
  const labels = Object.fromEntries(setup.expertsOf(state).map(({ name }, index) => [name, named ? name : labelOf(index)]));
  return pending(setup, state)
    .slice(0, limits.parallel)
    .map(({ name }, stage) => {
      const others = views.filter(({ expert }) => expert !== name).map((view) => [labels[view.expert] ?? "", shown(view)]);
      const errand: Errand = {
        ...{ expert: name, question: taskOf(state), material, ballot, round, rules, stage },
        own: views.find(({ expert }) => expert === name) ?? null,
        others: Object.fromEntries(others),
        error: answers.findLast(({ expert }) => expert === name)?.error ?? null,
        budget: budgetLeft(state.ledger, budget),
      };
      return new Send(round === 0 ? "answer" : "rebut", errand);
    });
}

/** Lets one expert answer the question. The expert sees no other answer. */
export const answer = (setup: DeliberationSetup) => (errand: Errand, config: Config) => ask(setup, errand, config);

/** Lets one expert respond to the positions of the other experts. */
export const rebut = (setup: DeliberationSetup) => (errand: Errand, config: Config) => ask(setup, errand, config);

async function ask(setup: DeliberationSetup, errand: Errand, config: Config) {
  const { question, material, ballot, round, own, others, error, stage, budget } = errand;
  const context = setup.contextOf(errand, config);
  const expert = setup.expertsOf(errand).find(({ name }) => name === errand.expert);
  if (!expert) throw new Error(`There is no expert "${errand.expert}" any more.`);
  await sleep(stage * context.limits.stageMs, undefined, { signal: config.signal });
  const startedAt = Date.now();
  const isReply = round > 0;
  const output = opinionFor({ ballot, mayVeto: Boolean(expert.veto), status: context.status, isReply });
  const debate = isReply && own ? { yours: shown(own), others } : undefined;
  const input = material === null ? debate : { material, ...debate };
  const assignment = {
    ...{ ...tierOf({ ...context, budget }, "worker"), agent: { ...expert, output }, pattern: setup.pattern },
    task: isReply ? prompts.reply(question, round) : prompts.answer(question),
    ...(input && { input }),
    constraints: [...(isReply ? rules.reply : rules.answer), ...(error ? [`An earlier try failed: ${error}`] : [])],
  };
  const outcome = await runAgent<Omit<View, "expert" | "weight">>(assignment, config).catch(asOutcome);
  report(config, setup.pattern, isReply ? "reply" : "opinion", startedAt, { expert: expert.name, round, status: outcome.status });
  return { answers: [answerOf(expert, outcome, own)], ledger: outcome.ledger };
}

/** Returns the error of a used-up budget as an outcome, so that the deliberation ends with the existing views. Throws any other error. */
function asOutcome(error: Error) {
  if (!(error instanceof BudgetExceeded)) throw error;
  return { status: "failed" as const, error: error.message, isFatal: true, ledger: [] };
}

type Outcome = Awaited<ReturnType<typeof runAgent<Omit<View, "expert" | "weight">>>>;

function answerOf({ name: expert, weight }: Expert, outcome: Outcome, own: View | null): Answer {
  if (outcome.status !== "success") return { expert, view: null, error: outcome.error, isFatal: outcome.isFatal };
  const view = View.parse({ ...outcome.result, expert, weight });
  return { expert, view: own ? { ...view, move: moveOf(view, own) } : view, error: null, isFatal: false };
}

/**
 * Returns whether the expert kept, amended or conceded its position. If the expert states a move that contradicts its vote, the vote
 * decides. With an unchanged vote, `concede` becomes `keep`. With a changed vote, `keep` becomes `amend`.
 */
function moveOf({ move, option }: View, own: View): View["move"] {
  if (option === null) return move;
  if (option !== own.option) return move === "keep" ? "amend" : move;
  return move === "concede" ? "keep" : move;
}
