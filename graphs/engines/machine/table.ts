import type { Answer, CodeCondition, Condition, Conditions } from "../conditions.ts";
import { evaluate, questionsIn } from "../conditions.ts";
import type { Doing } from "../doing.ts";

/** The settings of one state of a machine. */
export interface MachineState {
  /** Whether the machine ends in this state. */
  final?: boolean;
  /** The number of seconds after which the machine leaves the state without an event. Undefined for a state without a time limit. */
  timeoutSeconds?: number;
  /** The state that follows when the time limit is over. */
  onTimeout?: string;
}

/** A transition of a machine. If a transition has no event, the machine takes it without waiting for one. */
export interface Transition {
  from: string;
  event?: string;
  to: string;
  guard?: Condition | CodeCondition;
  action?: Doing;
  /** The state that follows if the action fails for good. By default, the machine stays in its state. */
  onFailure?: string;
  /** The name of the fact that stores the result of the action. */
  saveAs?: string;
  timeoutSeconds: number;
  retries: number;
}

/** A state machine: the name of its first state, its states, and the transitions between them. */
export interface Machine {
  initial: string;
  states: Record<string, MachineState>;
  transitions: Transition[];
}

/** The error of an event that the current state does not allow. */
export class InvalidTransition extends Error {
  override name = "InvalidTransition";
}

/** The error if the current state allows an event, but the guards of all transitions for the event fail. */
export class GuardFailed extends Error {
  override name = "GuardFailed";
}

/** Returns the transitions for an event in the order in which they are tried. For a null event, returns those without an event. */
export const candidatesFor = ({ transitions }: Pick<Machine, "transitions">, state: string, event: string | null): Transition[] =>
  transitions.filter((one) => one.from === state && (one.event ?? null) === event);

/** Returns the events that a state allows. */
export const eventsIn = ({ transitions }: Machine, state: string): string[] => [
  ...new Set(transitions.flatMap(({ from, event }) => (from === state && event !== undefined ? [event] : []))),
];

/**
 * Returns the error of an event for which this state has no transition. The error says where the event leads in other states, and which
 * events are allowed.
 */
export function invalidTransition(machine: Machine, state: string, event: string): InvalidTransition {
  const target = machine.transitions.find((one) => one.event === event)?.to;
  const allowed = machine.states[state]?.final ? "nothing, the state is final" : eventsIn(machine, state).join(", ") || "no event";
  return new InvalidTransition(`${state}${target === undefined ? "" : ` → ${target}`} by ${event}; allowed: ${allowed}`);
}

/**
 * The result of a search for a transition: the transition whose guard holds, the open questions to the judge, or the guards that failed.
 */
export interface Look {
  found?: Transition;
  /** The values that the guard of the found transition has read. Null if no transition was found or the transition has no guard. */
  seen: Record<string, unknown> | null;
  questions: { ask: string; model?: string }[];
  /** The target states of the transitions whose guards failed, and the values that these guards read. */
  refused: { to: string; saw: string }[];
}

/** Returns the first transition whose guard holds. Stops at a guard with a question that the judge has not answered yet. */
export function look(
  candidates: Transition[],
  values: Record<string, unknown>,
  conditions: Conditions,
  answers: Record<string, Answer>,
): Look {
  const refused: Look["refused"] = [];
  for (const one of candidates) {
    const { guard, to } = one;
    if (!guard) return { found: one, seen: null, questions: [], refused };
    const open = "code" in guard ? [] : questionsIn(guard).filter(({ ask }) => !answers[ask]);
    if (open.length > 0) return { seen: null, questions: open, refused };
    const { holds, seen, missing } =
      "code" in guard
        ? { holds: conditions.get(guard.code)?.(values, guard.args) ?? false, seen: {}, missing: [] }
        : evaluate(guard, values, answers);
    if (holds) return { found: one, seen, questions: [], refused };
    const saw = [
      ...Object.entries(seen).map(([path, value]) => `${path} is ${JSON.stringify(value)}`),
      ...missing.map((path) => `${path} is missing`),
    ];
    refused.push({ to, saw: saw.join(", ") || "a function of the code says no" });
  }
  return { seen: null, questions: [], refused };
}
