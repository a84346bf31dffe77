import type { Problem } from "../../agent/closed.ts";
import { namesIn, type Termination } from "../termination.ts";

interface Named {
  name: string;
  handoffs?: { to: string }[];
}

interface Given {
  termination?: Termination;
  entry?: string;
  selector?: { candidates: Record<string, string[]> };
}

/**
 * Returns a function that checks the names in a run's context. The participants must have unique names, and the settings may name only
 * participants. `key` is the context field with the participants. If the context has no such field, `members` are the participants.
 */
export function checkNames(key: string, members: Named[] | undefined): (values: Record<string, unknown>) => Problem[] {
  for (const { path, message } of members ? problemsOf(members, [key]) : []) throw new Error(`${path.join(".")}: ${message}`);
  return (values) => {
    const sent = values[key] as Named[] | undefined;
    const names = (sent ?? members)?.map(({ name }) => name);
    if (!names) return []; // the list of participants is invalid, and its own schema reports that
    const unknown = namesInSettings(values as Given).filter(({ name }) => !names.includes(name));
    return [...problemsOf(sent ?? [], [key]), ...unknown.map(({ name, path }) => ({ path, message: unknownName(name, names) }))];
  };
}

const unknownName = (name: string, names: string[]) => `there is no participant "${name}"; there are ${names.join(", ")}`;

function namesInSettings({ termination, selector, entry }: Given) {
  const candidates = Object.entries(selector?.candidates ?? {}).flatMap(([speaker, after]) => [
    { name: speaker, path: ["selector", "candidates", speaker] },
    ...after.map((name, index) => ({ name, path: ["selector", "candidates", speaker, index] })),
  ]);
  return [
    ...(termination ? namesIn(termination, ["termination"]) : []),
    ...candidates,
    ...(entry === undefined ? [] : [{ name: entry, path: ["entry"] }]),
  ];
}

/** Returns the problems of a list of participants: a name that is taken, a handoff to an unknown participant, or a handoff to oneself. */
function problemsOf(participants: Named[], path: PropertyKey[]): Problem[] {
  const names = participants.map(({ name }) => name);
  return participants.flatMap(({ name, handoffs = [] }, index) => [
    ...(names.indexOf(name) < index ? [{ path: [...path, index, "name"], message: `there is another participant named "${name}"` }] : []),
    ...handoffs.flatMap(({ to }, number) =>
      names.includes(to) && to !== name
        ? []
        : [
            {
              path: [...path, index, "handoffs", number, "to"],
              message: to === name ? "this is the agent itself" : unknownName(to, names),
            },
          ],
    ),
  ]);
}
