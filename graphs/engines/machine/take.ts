import { Send } from "@langchain/langgraph";
import { budgetLeft, enforceBudget } from "../../agent/ledger.ts";
import type { Config, Question, Setup } from "./nodes.ts";
import { msLeft, type Running, valuesOf } from "./state.ts";
import { candidatesFor, GuardFailed, invalidTransition, look } from "./table.ts";

/**
 * Returns the key under which the answers to a guard's questions are stored. Each transition of the machine changes the key, so that the
 * guard asks again.
 */
const placeOf = ({ history, state, event }: Running) => `${history.length}/${state}/${event ?? ""}`;

function lookIn(setup: Setup, state: Running) {
  const candidates = candidatesFor(state.machine, state.state, state.event);
  return { candidates, ...look(candidates, valuesOf(state), setup.conditions, state.answers[placeOf(state)] ?? {}) };
}

/**
 * Tells whether the run takes no further transition. The run stops after a failed action, at the limit of steps, or after its first
 * transition if `auto` is false.
 */
function isHalted(setup: Setup, { error, moves, event, auto }: Running, config: Config): boolean {
  return error !== null || moves >= setup.contextOf(config).maxSteps || (!auto && moves > 0 && event === null);
}

/**
 * Finds the transition to take now. A time limit that has passed takes precedence over the event. An event that is not allowed fails the
 * run, so nothing changes. In a state with a time limit, such an event is only recorded, because a failed run would lose the timer of the
 * state.
 */
export const take = (setup: Setup) => (state: Running, config: Config) => {
  const { machine, state: from, event, isOverdue, reason } = state;
  const { onTimeout } = machine.states[from] ?? {};
  if (onTimeout !== undefined && (isOverdue || msLeft(state) <= 0)) {
    const transition = { from, to: onTimeout, timeoutSeconds: 0, retries: 0 };
    return { isOverdue: false, taking: { transition, event: null, seen: null, reason: "timeout", tries: 0 } };
  }
  if (isHalted(setup, state, config)) return {};
  const { candidates, found, seen, questions, refused } = lookIn(setup, state);
  const why = event === null ? "automatic" : reason || "event";
  if (found) return { taking: { transition: found, event, seen, reason: why, tries: 0 } };
  if (event === null || questions.length > 0) return {};
  const problem =
    candidates.length === 0
      ? invalidTransition(machine, from, event)
      : new GuardFailed(refused.map(({ to, saw }) => `${from} → ${to} by ${event}: ${saw}`).join("; "));
  if (msLeft(state) === Number.POSITIVE_INFINITY) throw problem;
  return { event: null, data: {}, refused: { event, error: problem.name, message: problem.message } };
};

/** Returns the next nodes after `take`: the action, the change of the state, questions to the judge, or the end of the run. */
export const afterTake = (setup: Setup) => (state: Running, config: Config) => {
  const { budget, limits } = setup.contextOf(config);
  if (state.taking && !state.taking.transition.action) return "settle";
  if (state.taking) {
    enforceBudget(state.ledger, budget);
    return "act";
  }
  if (isHalted(setup, state, config)) return "conclude";
  const { questions } = lookIn(setup, state);
  if (questions.length === 0) return "conclude";
  enforceBudget(state.ledger, budget);
  const shared = { place: placeOf(state), input: valuesOf(state), budget: budgetLeft(state.ledger, budget) };
  return questions.slice(0, limits.parallel).map((question) => new Send("decide", { ...shared, ...question } satisfies Question));
};
