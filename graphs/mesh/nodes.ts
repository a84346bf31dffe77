import { Overwrite, Send } from "@langchain/langgraph";
import {
  agent,
  askAnswer,
  asText,
  budgetLeft,
  enforceBudget,
  evaluate,
  JudgeAnswer,
  questionsIn,
  report,
  runAgent,
  tierOf,
} from "ensemble/patterns";
import { type Config, type Errand, type Setup, sendsFor } from "./parts.ts";
import { closeRound, intentionsIn, permitIn, toAct, toLook, toObject } from "./rounds.ts";
import type { Mesh } from "./state.ts";

const quietRounds = 2;

/** Publishes the intentions of all agents together, when every agent has looked at the board. No intention is carried out yet. */
export const announce = (setup: Setup) => (state: Mesh, config: Config) => {
  if (toLook(setup.rulesOf(config).actors, state).length > 0) return {};
  const intentions = intentionsIn(state);
  report(config, setup.name, "intentions", Date.now(), { intentions });
  return { intentions };
};

/** Decides which agents act, after all objections are known. */
export const permit = (setup: Setup) => (state: Mesh, config: Config) => {
  const { actors, objections } = setup.rulesOf(config);
  return objections && toObject(actors, state).length > 0 ? {} : { permitted: permitIn(state) };
};

/** Ends the round: applies the results of the actions to the board, and updates the standings of the agents. */
export const update = (setup: Setup) => (state: Mesh, config: Config) => {
  const { actors, answerKey } = setup.rulesOf(config);
  if (toAct(actors, state).length > 0) return {};
  const closed = closeRound(state);
  for (const change of closed.changes) report(config, setup.name, `board:${change.key}`, Date.now(), change);
  const said = state.acted.flatMap(({ message }) => (message ? [message] : []));
  const emptied = { looked: new Overwrite([]), objected: new Overwrite([]), acted: new Overwrite([]), intentions: [], permitted: null };
  return { ...closed, ...emptied, messages: said, ...(said.length > 0 && { spoken: asText(closed.board[answerKey] ?? "") }) };
};

export const afterAnnounce = (setup: Setup) => (state: Mesh, config: Config) => {
  const { actors, objections } = setup.rulesOf(config);
  const looking = toLook(actors, state);
  if (looking.length > 0) return sendsFor(setup, "look", looking, state, config);
  if (state.intentions.length === 0) return "update";
  const objecting = objections ? toObject(actors, state) : [];
  return objecting.length > 0 ? sendsFor(setup, "object", objecting, state, config) : "permit";
};

export const afterPermit = (setup: Setup) => (state: Mesh, config: Config) => {
  const { actors } = setup.rulesOf(config);
  if (!state.permitted) return sendsFor(setup, "object", toObject(actors, state), state, config);
  const acting = toAct(actors, state);
  return acting.length > 0 ? sendsFor(setup, "act", acting, state, config) : "update";
};

/** Returns the next nodes after a round: the remaining actions, a question to the judge, the next round, or the end. */
export const afterRound = (setup: Setup) => (state: Mesh, config: Config) => {
  const { actors, context, onFailures } = setup.rulesOf(config);
  const acting = toAct(actors, state);
  if (acting.length > 0) return sendsFor(setup, "act", acting, state, config);
  if (state.accepted) return "conclude";
  const open = openQuestions(state);
  if (open.length > 0) {
    enforceBudget(state.ledger, context.budget);
    const budget = budgetLeft(state.ledger, context.budget);
    return open.map((question) => new Send("decide", { ...question, place: placeOf(state), input: valuesOf(state), budget }));
  }
  const ending = endingOf(setup, state, config);
  if (ending === "failures" && onFailures === "ask") return "askAboutFailures";
  return ending ? "conclude" : sendsFor(setup, "look", toLook(actors, state), state, config);
};

const valuesOf = ({ board, round, task }: Mesh) => ({ board, round, task });
const placeOf = ({ changes }: Mesh) => `after ${changes.length} changes`;
const openQuestions = (state: Mesh) => {
  const { done, answers } = state;
  return done && !("code" in done) ? questionsIn(done).filter(({ ask }) => !answers[placeOf(state)]?.[ask]) : [];
};

/** Returns the reason why the run ends now, or undefined if another round follows. */
export function endingOf({ rulesOf, conditions }: Setup, state: Mesh, config: Config) {
  const { done, lost, quiet, round, answers } = state;
  const { actors, maxRounds, context } = rulesOf(config);
  const values = valuesOf(state);
  const isDone = done && ("code" in done ? conditions.get(done.code)?.(values) : evaluate(done, values, answers[placeOf(state)]).holds);
  if (isDone) return "done" as const;
  if (state.accepted || lost.length >= Math.min(context.limits.failures, actors.length)) return "failures" as const;
  if (quiet >= quietRounds) return "quiescent" as const;
  return round >= maxRounds ? ("limit" as const) : undefined;
}

/** Asks the judge a question of the condition `done`. The answer is stored, so that the question is not asked again. */
export const decide =
  (setup: Setup) =>
  async (sent: { ask: string; model?: string; place: string; input: unknown; budget: Errand["budget"] }, config: Config) => {
    const { place, ask, model, input, budget } = sent;
    const startedAt = Date.now();
    const tier = { ...tierOf({ ...setup.rulesOf(config).context, budget }, "judge"), ...(model && { model }) };
    const judge = agent({
      name: "judge",
      role: "a careful judge",
      instructions: "Answer with yes or no, and say why.",
      output: JudgeAnswer,
    });
    const outcome = await runAgent<JudgeAnswer>({ ...tier, agent: judge, task: ask, input, pattern: setup.name }, config);
    const answer = outcome.status === "success" ? outcome.result : { holds: false, reason: `The judge failed: ${outcome.error}` };
    report(config, setup.name, "condition", startedAt, { ask, ...answer });
    return { answers: { [place]: { [ask]: answer } }, ledger: outcome.ledger };
  };

/**
 * Asks a person what to do about too many lost agents. The person may bring these agents back, with or without instructions, or accept the
 * result so far.
 */
export const askAboutFailures = (setup: Setup) => (state: Mesh, config: Config) => {
  const { askTimeoutSeconds: timeoutSeconds = null } = setup.rulesOf(config).context;
  const prompt = `${state.round} rounds so far; lost: ${state.lost.map((name) => `${name} (${state.errors[name]})`).join(", ")}.`;
  const choice = askAnswer(prompt, ["retry", "adjust", "accept"], { timeoutSeconds });
  const advice = choice === "adjust" ? askAnswer("What should be done differently?", undefined, { timeoutSeconds }) : state.advice;
  if (choice === undefined || choice === "accept" || advice === undefined) return { accepted: true };
  return { lost: [], errors: {}, quiet: 0, advice };
};
