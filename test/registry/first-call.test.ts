import { expect, test } from "vitest";
import { findFirstCall } from "../../src/registry/first-call.ts";
import type { Registry } from "../../src/registry/registry.ts";

interface Graph {
  /** The fields of the graph's input schema, if it has one. */
  schema?: string[];
  channels?: string[];
  /** The fields that an input must have. */
  needs?: string[];
}

/** Returns a registry of graphs with only the properties that `findFirstCall` reads. */
function registryOf(graphs: Record<string, Graph>): Registry {
  const fieldsOf = (names: string[]) => Object.fromEntries(names.map((name) => [name, {}]));
  const known: Partial<Registry> = {
    graphIds: Object.keys(graphs),
    declaredSchema: async (graphId) => {
      const { schema } = graphs[graphId] ?? {};
      return schema ? { properties: fieldsOf(schema) } : {};
    },
    open: async (graphId) => ({ channels: fieldsOf(graphs[graphId]?.channels ?? []) }) as never,
    validate: async (graphId, { input }) => {
      const missing = (graphs[graphId]?.needs ?? []).filter((name) => !(name in Object(input)));
      return missing.map((name) => ({ path: ["input", name], message: "missing" }));
    },
  };
  return known as Registry;
}

const messages = { messages: [{ role: "user", content: "hello" }] };
const cases: [what: string, graphs: Record<string, Graph>, call: object | undefined][] = [
  ["messages where the input has some", { a: { schema: ["messages", "task"] } }, { graphId: "a", input: messages }],
  ["a task where it has one", { a: { schema: ["task"], channels: ["messages"] } }, { graphId: "a", input: { task: "hello" } }],
  ["a field of the state, without an input schema", { a: { channels: ["messages"] } }, { graphId: "a", input: messages }],
  [
    "another field, if one is not enough",
    { a: { schema: ["messages", "task"], needs: ["task"] } },
    { graphId: "a", input: { task: "hello" } },
  ],
  [
    "the first graph that has one of them",
    { a: { schema: ["topic"] }, b: { schema: ["task"] } },
    { graphId: "b", input: { task: "hello" } },
  ],
  ["no field where no graph has one of them", { a: { schema: ["topic"] } }, { graphId: "a", input: {} }],
  ["another graph where the first refuses it", { a: { needs: ["topic"] }, b: {} }, { graphId: "b", input: {} }],
  ["nothing where every graph needs an input of its own", { a: { needs: ["topic"] } }, undefined],
];

test.each(cases)("the call to try has %s", async (_, graphs, call) => {
  expect(await findFirstCall(registryOf(graphs))).toEqual(call);
});

test("a graph that needs a configuration to be created is skipped", async () => {
  const registry = registryOf({ a: {}, b: { channels: ["task"] } });
  const { open } = registry;
  registry.open = async (graphId, use) => (graphId === "a" ? Promise.reject(new Error("no tenant")) : open(graphId, use));
  expect(await findFirstCall(registry)).toEqual({ graphId: "b", input: { task: "hello" } });
});
