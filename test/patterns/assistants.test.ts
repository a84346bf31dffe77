import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { startPatterns } from "./service.ts";

const { client } = await startPatterns();
const Shipped = z.object({ graphs: z.record(z.string(), z.object({ name: z.string(), description: z.string() })) });
const { graphs } = Shipped.parse(JSON.parse(readFileSync(new URL("../../langgraph.json", import.meta.url), "utf8")));
const shipped = Object.entries(graphs).map(([graphId, preset]) => ({ graphId, ...preset }));

type Schema = Record<string, unknown>;
const isObject = (value: unknown): value is Schema => typeof value === "object" && value !== null;

/** Returns the paths of the fields without a description. Messages are LangChain's own and are left out. */
function undescribed(schema: unknown, path = ""): string[] {
  if (!isObject(schema)) return [];
  const { properties, items, anyOf, additionalProperties } = schema;
  const fields = isObject(properties) ? Object.entries(properties).filter(([name]) => name !== "messages") : [];
  return [
    ...fields.flatMap(([name, field]) => {
      const silent = isObject(field) && typeof field.description !== "string" ? [`${path}${name}`] : [];
      return [...silent, ...undescribed(field, `${path}${name}.`)];
    }),
    ...[items, additionalProperties, ...(Array.isArray(anyOf) ? anyOf : [])].flatMap((inner) => undescribed(inner, path)),
  ];
}

const keysOf = (schema: unknown) => (isObject(schema) && isObject(schema.properties) ? Object.keys(schema.properties) : []);

test("there is a preset assistant for each, with a name and a description", async () => {
  const found = await client.assistants.search({ metadata: { created_by: "system" }, limit: 100 });
  const presets = found.filter(({ metadata }) => metadata?.preset === undefined); // all other assistants come from files
  const seen = presets.map(({ graph_id, name, description }) => ({ graphId: graph_id, name, description }));
  expect(seen).toHaveLength(shipped.length);
  expect(seen).toEqual(expect.arrayContaining(shipped));
});

test.each(shipped)("every field that $graphId takes, gives or is configured by is described", async ({ graphId }) => {
  const { input_schema, output_schema, context_schema } = await client.assistants.getSchemas(graphId);
  expect(keysOf(input_schema)).not.toEqual([]);
  expect(keysOf(output_schema)).not.toEqual([]);
  expect({ input: undescribed(input_schema), output: undescribed(output_schema), context: undescribed(context_schema) }).toEqual({
    input: [],
    output: [],
    context: [],
  });
});

test.each([
  "hierarchy",
  "crew",
  "group-chat",
  "swarm",
  "panel",
  "debate",
  "team",
  "pipeline",
  "fan-out",
  "map-reduce",
  "saga",
  "work-engine",
])("%s publishes the schema of its context", async (graphId) => {
  const { context_schema: schema } = await client.assistants.getSchemas(graphId);
  expect(keysOf(schema)).toEqual(expect.arrayContaining(["models", "limits", "budget", "askTimeoutSeconds"]));
});

test.each(shipped)("$graphId can be drawn: every node is on a way from the start to the end", async ({ graphId }) => {
  const { nodes, edges } = await client.assistants.getGraph(graphId);
  const reach = (from: string, next: (id: string) => string[], seen = new Set<string>()): Set<string> => {
    if (seen.has(from)) return seen;
    seen.add(from);
    for (const id of next(from)) reach(id, next, seen);
    return seen;
  };
  // LangGraph draws a node's error handler without the edge that leads to it.
  const ids = new Set(nodes.map(({ id }) => String(id)).filter((id) => !id.startsWith("__error_handler__")));
  expect(reach("__start__", (id) => edges.filter(({ source }) => source === id).map(({ target }) => target))).toEqual(ids);
  expect(reach("__end__", (id) => edges.filter(({ target }) => target === id).map(({ source }) => source))).toEqual(ids);
});

test.each([
  ["supervisor", ["task", "messages", "input"], ["messages", "steps", "results", "reviews", "settlements", "report", "ledger", "metrics"]],
  [
    "hierarchy",
    ["task", "messages", "mission", "input"],
    ["messages", "objectives", "reports", "decisions", "orders", "settlements", "report", "ledger", "metrics"],
  ],
  [
    "crew",
    ["task", "messages", "inputs", "agents", "tasks", "process", "manager_llm"],
    ["status", "raw", "json", "tasks_output", "usage", "error", "ledger", "metrics", "messages"],
  ],
  ["react", ["messages"], ["messages", "steps", "stopped", "summary", "ledger"]],
  ["reflect", ["task", "messages", "criteria"], ["result", "valid", "stopped", "rounds", "ledger", "metrics", "messages"]],
  ["plan-execute", ["task", "messages"], ["answer", "gaps", "plan", "revisions", "ledger", "metrics", "messages"]],
  ["aggregator", ["results", "strategies", "expected", "deliverable", "task", "messages"], ["messages", "report", "ledger", "metrics"]],
  [
    "group-chat",
    ["task", "messages", "stop"],
    ["result", "stopReason", "speaker", "turns", "usage", "notes", "messages", "ledger", "metrics"],
  ],
  [
    "swarm",
    ["task", "messages", "stop"],
    ["result", "stopReason", "lastAgent", "handoffs", "turns", "usage", "notes", "messages", "ledger", "metrics"],
  ],
  [
    "panel",
    ["task", "messages", "question", "material", "ballot"],
    [
      "result",
      "decision",
      "decidedBy",
      "consensus",
      "agreement",
      "confidence",
      "reasoning",
      "blockedBy",
      "views",
      "camps",
      "dissent",
      "agreedPoints",
      "disagreements",
      "moves",
      "gaps",
      "messages",
      "ledger",
      "metrics",
    ],
  ],
  [
    "debate",
    ["task", "messages", "question", "material", "ballot"],
    [
      "result",
      "decision",
      "decidedBy",
      "consensus",
      "agreement",
      "confidence",
      "reasoning",
      "blockedBy",
      "stopped",
      "rounds",
      "moves",
      "camps",
      "dissent",
      "agreedPoints",
      "disagreements",
      "gaps",
      "messages",
      "ledger",
      "metrics",
    ],
  ],
  [
    "team",
    ["task", "messages", "tasks"],
    ["result", "tasks", "topology", "score", "mail", "stopped", "gaps", "notes", "messages", "ledger", "metrics"],
  ],
])("%s shows what a caller gives and gets, and not its book-keeping", async (graphId, input, output) => {
  const schemas = await client.assistants.getSchemas(graphId);
  expect(keysOf(schemas.input_schema)).toEqual(input);
  expect(keysOf(schemas.output_schema)).toEqual(output);
});

test("book-keeping that a caller gives is refused", async () => {
  const input = { results: [{ label: "a" }], report: "mine", comparison: "mine" };
  await expect(client.runs.wait(null, "aggregator", { input } as object)).rejects.toThrow("input.report: unknown key");
});
