import type { Problem } from "../../agent/closed.ts";
import type { Machine } from "./table.ts";

/** Returns the problems of a machine: unknown states, transitions that can never be taken, and unreachable states. */
export function problemsOf(machine: Machine): Problem[] {
  const problems = [...stateProblems(machine), ...transitionProblems(machine)];
  if (problems.length > 0) return problems;
  const reached = reachableFrom(machine, machine.initial);
  const unreached = Object.keys(machine.states).filter((state) => !reached.has(state));
  return unreached.map((state) => ({ path: ["states", state], message: `no transition leads to this state from "${machine.initial}"` }));
}

function stateProblems({ initial, states }: Machine): Problem[] {
  const problems: Problem[] = unknownState(states, initial, ["initial"]);
  for (const [name, { final, timeoutSeconds, onTimeout }] of Object.entries(states)) {
    const path = ["states", name];
    if (onTimeout !== undefined) problems.push(...unknownState(states, onTimeout, [...path, "onTimeout"]));
    if (timeoutSeconds !== undefined && onTimeout === undefined)
      problems.push({ path: [...path, "onTimeout"], message: "`timeoutSeconds` needs the state to which the machine then goes" });
    if (onTimeout !== undefined && timeoutSeconds === undefined)
      problems.push({ path: [...path, "timeoutSeconds"], message: "`onTimeout` needs this" });
    if (final && timeoutSeconds !== undefined)
      problems.push({ path: [...path, "timeoutSeconds"], message: "the machine ends here, so it leaves this state never" });
  }
  return problems;
}

function transitionProblems({ states, transitions }: Machine): Problem[] {
  const decided = new Map<string, number>();
  return transitions.flatMap(({ from, event, to, guard, onFailure, action, saveAs }, index) => {
    const path = ["transitions", index];
    const problems = [
      ...unknownState(states, from, [...path, "from"]),
      ...unknownState(states, to, [...path, "to"]),
      ...(onFailure === undefined ? [] : unknownState(states, onFailure, [...path, "onFailure"])),
    ];
    if (states[from]?.final) problems.push({ path: [...path, "from"], message: `"${from}" is final, so nothing leads out of it` });
    if (!action && onFailure !== undefined) problems.push({ path: [...path, "onFailure"], message: "this needs `action`" });
    if (!action && saveAs !== undefined) problems.push({ path: [...path, "saveAs"], message: "this needs `action`" });
    const key = JSON.stringify([from, event]);
    const before = decided.get(key);
    const what = event === undefined ? "without an event" : `for "${event}"`;
    if (before !== undefined)
      problems.push({ path, message: `transitions[${before}] ${what} has no guard, so this one can never be taken` });
    if (!guard && before === undefined) decided.set(key, index);
    return problems;
  });
}

function unknownState(states: Machine["states"], name: string, path: PropertyKey[]): Problem[] {
  return Object.hasOwn(states, name) ? [] : [{ path, message: `there is no state "${name}"; there are ${Object.keys(states).join(", ")}` }];
}

/** Returns the states that the machine can reach from this state in one transition. */
function nextOf({ states, transitions }: Machine, state: string): string[] {
  const taken = transitions.filter(({ from }) => from === state).flatMap(({ to, onFailure }) => [to, onFailure]);
  return [...taken, states[state]?.onTimeout].filter((one) => one !== undefined);
}

function reachableFrom(machine: Machine, start: string): Set<string> {
  const reached = new Set([start]);
  for (const state of reached) for (const one of nextOf(machine, state)) reached.add(one);
  return reached;
}

/** Returns a warning for each state from which the machine cannot reach an end. */
export function warningsOf(machine: Machine): string[] {
  const stuck = Object.keys(machine.states).filter(
    (state) => ![...reachableFrom(machine, state)].some((one) => machine.states[one]?.final),
  );
  return stuck.map((state) => `No final state can be reached from "${state}".`);
}
