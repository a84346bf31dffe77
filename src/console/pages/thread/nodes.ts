import type { State } from "./data.ts";

/**
 * Returns the names of the nodes that made a checkpoint, from the tasks of its parent checkpoint. For a checkpoint that no node made,
 * returns a label such as "Input".
 */
export function nodesOf(state: State, parent: State | undefined): string {
  const source = state.metadata?.source;
  if (source === "input") return "Input";
  if (source === "fork") return "Fork";
  if (source === "update") return "Edited state";
  const names = [...new Set(parent?.tasks.map(({ name }) => String(name)) ?? [])];
  return names.length > 0 ? names.map((name) => (name === "__start__" ? "Start" : name)).join(", ") : "Step";
}
