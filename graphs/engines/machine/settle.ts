import { report } from "../../agent/progress.ts";
import type { Config, Setup } from "./nodes.ts";
import type { Acted, Change, Running, Taking } from "./state.ts";

const done = { taking: null, acted: null };

/** Ends a transition: moves the machine, retries a failed action, or keeps the machine in its state. */
export const settle = (setup: Setup) => (state: Running, config: Config) => {
  const taking = state.taking as Taking;
  const { acted } = state;
  const update = acted && acted.status !== "success" ? afterFailure(state, taking, acted) : afterSuccess(state, taking, acted);
  for (const { from, event, to, reason } of update.history ?? [])
    report(config, setup.name, "transition", Date.now(), { from, event, to, reason });
  return update;
};

type Update = Partial<Running>;

function afterSuccess(state: Running, taking: Taking, acted: Acted | null): Update {
  const { to, saveAs } = taking.transition;
  const saved = acted && saveAs !== undefined ? { [saveAs]: acted.result ?? null } : {};
  const spoken = acted?.message && state.machine.states[to]?.final ? [acted.message] : [];
  const update = moved(state, changeOf(taking, to, acted?.status ?? null, taking.reason), saved);
  return acted ? { ...update, output: acted.result ?? null, spoken } : update;
}

/**
 * Returns the update after a failed action. If the state's time limit has passed, the machine leaves the state because of that. Otherwise,
 * the action is retried. After the last try, the machine moves to `onFailure`, or stays in its state if `onFailure` is undefined.
 */
function afterFailure(state: Running, taking: Taking, acted: Acted): Update {
  const { from, retries, onFailure } = taking.transition;
  const { status, error = "The action failed.", isFatal, isOverdue } = acted;
  if (isOverdue && state.machine.states[from]?.onTimeout !== undefined) return { ...done, ...usedEvent, isOverdue: true };
  if (!isFatal && taking.tries < retries) return { acted: null, taking: { ...taking, tries: taking.tries + 1, error } };
  const change = changeOf(taking, onFailure ?? from, status, error);
  return onFailure === undefined ? { ...done, ...used(taking), history: [change], error } : moved(state, change);
}

const usedEvent = { event: null, data: {}, reason: "" };
const used = ({ event }: Pick<Taking, "event">) => (event === null ? {} : usedEvent);

const changeOf = ({ transition: { from }, event, seen }: Taking, to: string, action: Change["action"], reason: string): Change => ({
  ...{ from, event, to, guard: seen, action, at: new Date().toISOString(), reason },
});

/** Returns the update that moves the machine into another state, and merges the event's data into the facts. */
function moved({ visits, moves, facts, data }: Running, change: Change, saved = {}): Update {
  const { to, at } = change;
  return {
    ...{ ...done, ...used(change), history: [change], state: to, since: at, moves: moves + 1 },
    visits: { ...visits, [to]: (visits[to] ?? 0) + 1 },
    facts: { ...facts, ...(change.event === null ? {} : data), ...saved },
  };
}
