import { Overwrite } from "@langchain/langgraph";
import { asText } from "ensemble/patterns";
import type { Actor } from "./members.ts";
import { Intention, Objections } from "./members.ts";
import type { Announced, Done, Mesh, Objection, Permit, Round } from "./state.ts";

export const firstStanding = 0.5;
const adaptation = 0.1;

const standingOf = ({ standings }: Mesh, agent: string): number => standings[agent] ?? firstStanding;

/** Returns the actors that take part in the run and have no entry in `done` yet. */
const leftIn = (actors: Actor[], { lost }: Mesh, done: Done[]): Actor[] =>
  actors.filter(({ name }) => !lost.includes(name) && !done.some(({ agent }) => agent === name));

export const toLook = (actors: Actor[], state: Mesh): Actor[] => leftIn(actors, state, state.looked);

/** Returns the actors that must still be asked for objections, because another agent has announced an intention. */
export const toObject = (actors: Actor[], state: Mesh): Actor[] =>
  leftIn(actors, state, state.objected).filter(({ name, object }) => object && state.intentions.some(({ agent }) => agent !== name));

export const toAct = (actors: Actor[], state: Mesh): Actor[] =>
  leftIn(actors, state, state.acted).filter(({ name }) => state.permitted?.acting.includes(name));

/** Returns the intentions of the agents that want to act, the strongest first. Equally strong intentions are sorted by name. */
export function intentionsIn(state: Mesh): Announced[] {
  const wanting = state.looked.flatMap(({ agent, status, result }): Announced[] => {
    const { data } = Intention.safeParse(status === "success" ? result : undefined);
    if (!data?.shouldAct) return [];
    const { shouldAct: _, ...intention } = data;
    return [{ ...intention, agent, strength: round((standingOf(state, agent) + data.priority) / 2) }];
  });
  return wanting.toSorted((one, other) => other.strength - one.strength || (one.agent < other.agent ? -1 : 1));
}

/** Returns the objections of a round. Two intentions that touch the same key always oppose each other. */
function objectionsIn({ intentions, objected }: Mesh): Objection[] {
  const overlaps = intentions.flatMap((one, index) =>
    intentions.slice(index + 1).flatMap((other): Objection[] => {
      const shared = one.touches.filter((key) => other.touches.includes(key));
      const reason = `Both touch ${shared.join(", ")}.`;
      return shared.length > 0 ? [{ by: one.agent, against: other.agent, reason, severity: "block" }] : [];
    }),
  );
  const spoken = objected.flatMap(({ agent, status, result }) => {
    const { objections } = Objections.safeParse(status === "success" ? result : undefined).data ?? { objections: [] };
    return objections.map((objection): Objection => ({ by: agent, ...objection }));
  });
  const known = spoken.filter(({ by, against }) => by !== against && intentions.some(({ agent }) => agent === against));
  return [...overlaps, ...known.toSorted((one, other) => (one.by < other.by ? -1 : 1))];
}

/**
 * Decides which agents act. Intentions without a blocking objection are carried out together. If an agent with an intention blocks another
 * intention, the stronger of the two is carried out. An agent without an intention can block an intention only if the agent's standing
 * exceeds the intention's strength.
 */
export function permitIn(state: Mesh): Permit {
  const objections = objectionsIn(state);
  const permit: Permit = { acting: [], withheld: [], objections };
  const wanting = new Set(state.intentions.map(({ agent }) => agent));
  for (const { agent, strength } of state.intentions) {
    const opposing = objections.filter(({ by, against, severity }) => severity === "block" && (by === agent || against === agent));
    const blocking = opposing.find(({ by, against }) => {
      const other = by === agent ? against : by;
      return permit.acting.includes(other) || (by === other && !wanting.has(other) && standingOf(state, other) > strength);
    });
    if (!blocking) permit.acting.push(agent);
    else permit.withheld.push({ agent, by: blocking.by === agent ? blocking.against : blocking.by, reason: blocking.reason });
  }
  return permit;
}

/**
 * Returns the values that an action wrote. If the action touches a single key, the whole result may be the value of that key. A value is
 * refused if the agent's intention did not name its key.
 */
function writesOf({ touches }: Announced, result: unknown) {
  const [only, ...others] = touches;
  const isObject = typeof result === "object" && result !== null && !Array.isArray(result);
  const isValue = only !== undefined && others.length === 0 && !(isObject && Object.hasOwn(result, only));
  const entries: [string, unknown][] = isValue ? [[only, result ?? null]] : isObject ? Object.entries(result) : [];
  return {
    writes: entries.filter(([key]) => touches.includes(key)),
    refused: entries.map(([key]) => key).filter((key) => !touches.includes(key)),
  };
}

/**
 * Ends a round: applies the results of the actions to the board. An agent's standing rises if its expectation came true. The standing falls
 * if the expectation did not come true or the action failed.
 */
export function closeRound(state: Mesh) {
  const number = state.round + 1;
  const board = { ...state.board };
  const changes: Mesh["changes"] = [];
  const standings = { ...state.standings };
  const effects = state.acted
    .toSorted((one, other) => (one.agent < other.agent ? -1 : 1))
    .map(({ agent, status, result, error = null }): Round["effects"][number] => {
      const intention = state.intentions.find((one) => one.agent === agent) as Announced;
      const { writes, refused } = status === "success" ? writesOf(intention, result) : { writes: [], refused: [] };
      const changed = writes.filter(([key, value]) => JSON.stringify(board[key]) !== JSON.stringify(value));
      for (const [key, value] of changed) {
        board[key] = value;
        changes.push({ round: number, key, value, by: agent });
      }
      return { agent, status, changed: changed.map(([key]) => key), refused, expected: null, error };
    });
  for (const effect of effects) {
    const { expected, touches } = state.intentions.find(({ agent }) => agent === effect.agent) as Announced;
    if (expected) effect.expected = cameTrue(expected, board, changes);
    const hasChanged = touches.length === 0 || effect.changed.length > 0;
    const isGood = effect.status === "success" && effect.expected !== false && hasChanged;
    if (expected || !isGood) standings[effect.agent] = moved(standingOf(state, effect.agent), isGood);
  }
  const failed = [...state.looked, ...state.acted].filter(({ status }) => status !== "success");
  const lost = [...new Set(failed.map(({ agent }) => agent))].toSorted();
  const { intentions, permitted } = state;
  const { objections = [], withheld = [] } = permitted ?? {};
  return {
    ...{ board, standings, changes, round: number, quiet: effects.length === 0 ? state.quiet + 1 : 0 },
    rounds: [{ round: number, intentions, objections, withheld, effects, lost }],
    lost: [...state.lost, ...lost],
    errors: { ...state.errors, ...Object.fromEntries(failed.map(({ agent, error = "" }) => [agent, error])) },
  };
}

function cameTrue({ key, value }: NonNullable<Announced["expected"]>, board: Record<string, unknown>, changes: Mesh["changes"]): boolean {
  return changes.some((change) => change.key === key) && (value === undefined || asText(board[key]) === asText(value));
}

const moved = (standing: number, isGood: boolean): number =>
  round(Math.min(1, Math.max(0, standing + (isGood ? adaptation : -adaptation))));

const round = (value: number): number => Math.round(value * 1_000) / 1_000;

/** The update that clears the values of an earlier run on the thread. */
export const cleared = (actors: Actor[]) => ({
  ...{ round: 0, quiet: 0, lost: [], errors: {}, accepted: false, advice: "", intentions: [], permitted: null, spoken: "" },
  standings: Object.fromEntries(actors.map(({ name }) => [name, firstStanding])),
  ...Object.fromEntries(["rounds", "changes", "looked", "objected", "acted", "times", "ledger"].map((key) => [key, new Overwrite([])])),
  answers: new Overwrite({}),
});
