import type { Machine } from "./table.ts";

/** Returns a drawing of the machine as a Mermaid state diagram. The current state is marked. */
export function diagramOf({ initial, states, transitions }: Machine, current?: string): string {
  const ids = new Map(Object.keys(states).map((name, index) => [name, `s${index}`]));
  const arrow = (from: string, to: string, label: string) => `  ${ids.get(from)} --> ${ids.get(to)}${label && ` : ${plain(label)}`}`;
  const timeouts = Object.entries(states).flatMap(([name, { timeoutSeconds, onTimeout }]) =>
    onTimeout === undefined ? [] : [arrow(name, onTimeout, `after ${timeoutSeconds} s`)],
  );
  const lines = [
    ...[...ids].map(([name, id]) => `  state ${JSON.stringify(plain(name))} as ${id}`),
    `  [*] --> ${ids.get(initial)}`,
    ...transitions.flatMap(({ from, to, event = "", guard, onFailure }) => [
      arrow(from, to, `${event}${guard ? " [guard]" : ""}`.trim()),
      ...(onFailure === undefined ? [] : [arrow(from, onFailure, `${event} failed`.trim())]),
    ]),
    ...timeouts,
    ...Object.entries(states).flatMap(([name, { final }]) => (final ? [`  ${ids.get(name)} --> [*]`] : [])),
    ...(current !== undefined && ids.has(current) ? ["  classDef current font-weight:bold", `  class ${ids.get(current)} current`] : []),
  ];
  return ["stateDiagram-v2", ...lines].join("\n");
}

/** Returns a text without the characters that would end a label in Mermaid. */
const plain = (text: string) => text.replace(/[;:"\n]/g, " ");
