import type { Registry } from "./registry.ts";

/** A first call for new users to try: a graph, and an input that this graph accepts. */
export interface FirstCall {
  graphId: string;
  input: Record<string, unknown>;
}

/**
 * The inputs to try, starting with the most instructive one. An input is tried only on graphs whose input has the field that is named
 * before it.
 */
const inputs: [field: string, input: FirstCall["input"]][] = [
  ["messages", { messages: [{ role: "user", content: "hello" }] }],
  ["task", { task: "hello" }],
];

/**
 * Returns a call that one of the graphs accepts. First tries each graph with the example inputs for messages and for a task. If no graph
 * accepts one, tries each graph with an empty input. A graph that needs a configuration to be opened is tried only in this second round.
 * Returns undefined if no graph accepts a call.
 */
export async function findFirstCall(registry: Registry): Promise<FirstCall | undefined> {
  for (const graphId of registry.graphIds) {
    const fields = await inputFields(registry, graphId).catch(() => new Set<string>());
    for (const [field, input] of inputs)
      if (fields.has(field) && (await isAccepted(registry, { graphId, input }))) return { graphId, input };
  }
  for (const graphId of registry.graphIds) if (await isAccepted(registry, { graphId, input: {} })) return { graphId, input: {} };
  return undefined;
}

/**
 * Returns the names of the fields of a graph's input. If the graph declares no schema for its input, returns the names of its state's
 * channels.
 */
async function inputFields(registry: Registry, graphId: string): Promise<Set<string>> {
  const schema = await registry.declaredSchema(graphId, "input");
  const { channels } = await registry.open(graphId);
  return new Set(Object.keys(schema.properties ?? channels));
}

const isAccepted = async (registry: Registry, { graphId, input }: FirstCall) => (await registry.validate(graphId, { input })).length === 0;
