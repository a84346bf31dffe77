import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { Workable } from "./agent.ts";
import { rootOf } from "./failing.ts";
import type { LedgerEntry } from "./ledger.ts";

/**
 * Runs a graph as a subgraph and returns its final values. If the graph fails, `record` receives the ledger entries of the calls before the
 * failure, and those in the error. The calls before the failure are known only because the function streams the graph's values.
 */
export async function runSubgraph(
  graph: Workable,
  input: Parameters<Workable["invoke"]>[0],
  config: LangGraphRunnableConfig,
  record: (entries: LedgerEntry[]) => void,
): Promise<Record<string, unknown>> {
  let values: unknown;
  try {
    if (!graph.stream) return Object((await graph.invoke(input, config)) ?? {});
    for await (const now of await graph.stream(input, { ...config, streamMode: "values" })) values = now;
    return Object(values ?? {});
  } catch (error) {
    const known = new Set(ledgerOf(values).map((entry) => JSON.stringify(entry)));
    record([...ledgerOf(values), ...ledgerOf(rootOf(error)).filter((entry) => !known.has(JSON.stringify(entry)))]);
    throw error;
  }
}

/** Returns the ledger in the values of a graph, or an empty list if the graph has no ledger. */
export function ledgerOf(values: unknown): LedgerEntry[] {
  const { ledger } = Object(values);
  return Array.isArray(ledger) ? ledger : [];
}

type Call = Parameters<Workable["invoke"]>;

/**
 * Returns a graph that runs the given graph. `change` gets the input and the config of each call, and returns those that the given graph
 * receives.
 */
export function callingWith(graph: Workable, change: (...call: Call) => Call): Workable {
  return {
    invoke: async (...call) => graph.invoke(...change(...call)),
    ...(graph.stream && {
      stream: async (input, config) =>
        (graph as Required<Workable>).stream(...(change(input, config) as Parameters<Required<Workable>["stream"]>)),
    }),
  };
}
