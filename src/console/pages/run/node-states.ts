import { type AttemptItem, type Item, type RunningNode, walk } from "./spans.ts";

export type NodeState = "none" | "running" | "success" | "error" | "interrupted" | "unfinished";

/** The state of a node of the graph, and its figures, summed over all attempts of a run. */
export interface NodeFacts {
  state: NodeState;
  /** The number of times that the node was started. */
  count: number;
  /** The total time of all executions of the node, in milliseconds. */
  ms: number;
  tokens: number;
  /** The cost of the node's model calls, as far as their prices are known. */
  dollars: number;
}

export const nothing: NodeFacts = { state: "none", count: 0, ms: 0, tokens: 0, dollars: 0 };

/** Returns the state and the figures of each node that the run has reached. The key is the node's path. */
export function factsByPath(trees: AttemptItem[], running: RunningNode[]): Map<string, NodeFacts> {
  const facts = new Map<string, NodeFacts>();
  for (const { roots } of trees) walk(roots, (item) => add(facts, item));
  for (const { path } of running) facts.set(path, { ...(facts.get(path) ?? nothing), state: "running" });
  return facts;
}

function add(facts: Map<string, NodeFacts>, { span, path, from, to = from, input, output, dollars }: Item): void {
  if (span.kind !== "node") return;
  const sum = facts.get(path) ?? nothing;
  facts.set(path, {
    state: span.outcome,
    count: sum.count + 1,
    ms: sum.ms + to - from,
    tokens: sum.tokens + input + output,
    dollars: sum.dollars + dollars,
  });
}
