import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { makeProject } from "../command.ts";
import { createDatabase } from "../database.ts";
import { startProcess, startTestService } from "../service.ts";

const modules = fileURLToPath(new URL("../../node_modules/", import.meta.url));

const imports = 'import { Annotation, END, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";';
const files = {
  "package.json": { type: "module" },
  "langgraph.json": { graphs: { main: "./main.ts:graph", factory: "./other.ts:makeGraph" } },
  "main.ts": `${imports}
import { leaf } from "./other.ts";
const Inner = Annotation.Root({ inner: Annotation<number>() });
const builder = new StateGraph(Inner).addNode("leaf", leaf).addEdge(START, "leaf").addEdge("leaf", END);
const inner = builder.compile();
/** Where it is. */
interface Place { city: string; country?: string; kind: "home" | "away" | null }
const State = Annotation.Root({
  ...MessagesAnnotation.spec,
  place: Annotation<Place>(),
  tags: Annotation<string[]>({ reducer: (a, b) => a.concat(b), default: () => [] }),
  at: Annotation<Date | undefined>(),
  open: Annotation<boolean>(),
});
const Input = Annotation.Root({ place: Annotation<Place>() });
const Config = Annotation.Root({ model: Annotation<string>() });
export const graph = new StateGraph({ stateSchema: State, input: Input, output: MessagesAnnotation }, Config)
  .addNode("child", inner)
  .addNode("done", () => ({ open: false }))
  .addEdge(START, "child")
  .addEdge("child", "done")
  .addEdge("done", END)
  .compile();`,
  "other.ts": `${imports}
const Leaf = Annotation.Root({ leaf: Annotation<string>(), pair: Annotation<[string, number]>() });
const build = () => new StateGraph(Leaf).addNode("say", () => ({ leaf: "x" })).addEdge(START, "say").addEdge("say", END).compile();
export const leaf = build();
export const makeGraph = async () => build();`,
};

async function makeTypedProject(typescript: string): Promise<string> {
  const project = await makeProject(files);
  await mkdir(join(project, "node_modules"));
  await symlink(join(modules, "@langchain"), join(project, "node_modules/@langchain"));
  await symlink(join(modules, typescript), join(project, "node_modules/typescript"));
  return join(project, "langgraph.json");
}

const place = {
  type: "object",
  properties: { city: { type: "string" }, country: { type: "string" }, kind: { anyOf: expect.arrayContaining([{ type: "null" }]) } },
  required: ["city", "kind"],
};
const messages = { type: "array", langgraph_type: "messages", items: expect.objectContaining({ title: "BaseMessage" }) };

test("the schemas of Annotation graphs, and of graphs inside, come from their types", { timeout: 120_000 }, async () => {
  const { client } = await startTestService({ ENSEMBLE_CONFIG: await makeTypedProject("typescript-5") });
  const schemas = await client.assistants.getSchemas("main");
  expect(schemas).toMatchObject({
    graph_id: "main",
    input_schema: { type: "object", properties: { place } },
    output_schema: { properties: { messages } },
    config_schema: { properties: { model: { type: "string" } } },
    context_schema: { properties: { model: { type: "string" } } },
  });
  expect(schemas.state_schema?.properties).toEqual({
    messages,
    place,
    tags: { type: "array", items: { type: "string" } },
    at: { type: "string", format: "date-time" },
    open: { type: "boolean" },
  });

  const leaf = { type: "object", properties: { leaf: { type: "string" }, pair: { type: "array", items: { anyOf: expect.anything() } } } };
  expect(await client.assistants.getSchemas("factory")).toMatchObject({ state_schema: leaf });
  const inner = { type: "object", properties: { inner: { type: "number" } } };
  const subgraphs = await client.assistants.getSubgraphs("main", { recurse: true });
  expect(Object.keys(subgraphs)).toEqual(["child", "child|leaf"]);
  expect(subgraphs.child).toMatchObject({ graph_id: "main", state: inner, input: inner, state_schema: inner, input_schema: inner });
  expect(subgraphs["child|leaf"]).toMatchObject({ output: leaf, output_schema: leaf });
});

test("without a typescript that has a compiler API they are empty, and the start says so once", async () => {
  const databaseUrl = await createDatabase();
  const service = await startProcess({ ENSEMBLE_CONFIG: await makeTypedProject("typescript"), DATABASE_URL: databaseUrl, PORT: "0" });
  for (const graph of ["main", "factory"]) {
    const answer = await fetch(`${service.url}/assistants/${graph}/schemas`);
    expect(await answer.json()).toMatchObject({ state_schema: {}, input_schema: {}, config_schema: {} });
  }
  await service.stop();
  expect(service.output().match(/no typescript 5 to read their types/g)).toHaveLength(1);
});
