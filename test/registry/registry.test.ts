import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readProject } from "../../src/registry/project.ts";
import { makeProject, probeRegistry } from "../command.ts";
import { createDatabase } from "../database.ts";
import { clientFor, startProcess } from "../service.ts";

const testGraphs = fileURLToPath(new URL("../graphs/", import.meta.url));
const importLangGraph = 'import { Annotation, END, START, StateGraph } from "@langchain/langgraph";';
const requireLangGraph = 'const { Annotation, END, START, StateGraph } = require("@langchain/langgraph");';
const say = `
const State = Annotation.Root({ said: Annotation() });
const say = (said) => new StateGraph(State).addNode("say", () => ({ said })).addEdge(START, "say").addEdge("say", END);
`;
const twice = (said: string) => [{ said }, { said }];

test("a graph may be compiled, a builder, a promise, an agent, or a function that creates a graph for each use", async () => {
  const graphs = Object.fromEntries(["builder", "promise", "factory"].map((kind) => [kind, `${testGraphs}kinds.ts:${kind}`]));
  const project = await makeProject({
    "langgraph.json": { graphs: { ...graphs, agent: `${testGraphs}kinds.ts:agent`, compiled: `${testGraphs}typed.tsx:graph` } },
  });
  const answers = await probeRegistry(project);
  expect(answers).toMatchObject({
    compiled: twice("typed"),
    builder: twice("builder"),
    promise: twice("promise"),
    factory: [{ said: "factory for ann" }, { said: "factory for bob" }],
    agent: [{ messages: [{ kwargs: { content: "agent" } }] }, { messages: [{ kwargs: { content: "agent" } }] }],
  });
});

const kinds = ["ts", "tsx", "mts", "js", "jsx", "mjs"];
const commonKinds = ["cts", "cjs"];

test.for([
  ["a project of ES modules", { type: "module" }],
  ["a project that does not say what its modules are", {}],
] as const)("%s has its graphs in files of any kind, under a name or as the default", async ([, manifest]) => {
  const es = (kind: string) =>
    `${importLangGraph}${say}export const graph = say("${kind}").compile(); export default say("default ${kind}");`;
  const common = (kind: string) =>
    `${requireLangGraph}${say}module.exports = { graph: say("${kind}").compile(), default: say("default ${kind}") };`;
  const all = [...kinds, ...commonKinds];
  const project = await makeProject({
    "package.json": manifest,
    ...Object.fromEntries(kinds.map((kind) => [`in-${kind}.${kind}`, es(kind)])),
    ...Object.fromEntries(commonKinds.map((kind) => [`in-${kind}.${kind}`, common(kind)])),
    "langgraph.json": {
      graphs: Object.fromEntries(
        all.flatMap((kind) => [
          [kind, `./in-${kind}.${kind}:graph`],
          [`default ${kind}`, `./in-${kind}.${kind}:default`],
        ]),
      ),
    },
  });
  const expected = all.flatMap((kind) => [kind, `default ${kind}`]).map((said) => [said, twice(said)]);
  expect(await probeRegistry(project)).toEqual(Object.fromEntries(expected));
});

test("a CommonJS module may be the graph itself", async () => {
  const project = await makeProject({
    "langgraph.json": { graphs: { whole: "./whole.cjs:default", factory: "./factory.cjs:default", wrong: "./whole.cjs:graph" } },
    "whole.cjs": `${requireLangGraph}${say}module.exports = say("whole").compile();`,
    "factory.cjs": `${requireLangGraph}${say}module.exports = ({ configurable }) => say(configurable.who).compile();`,
  });
  expect(await probeRegistry(project)).toEqual({
    whole: twice("whole"),
    factory: [{ said: "ann" }, { said: "bob" }],
    wrong: expect.stringContaining('has no export "graph"; it exports default.'),
  });
});

test("TypeScript that needs more than its types removed is compiled: enums, path aliases, imports without an extension", async () => {
  const project = await makeProject({
    "langgraph.json": { graphs: { agent: "./src/agent.ts:graph" } },
    "package.json": { type: "module" },
    "tsconfig.json": { compilerOptions: { paths: { "@/*": ["./src/*"] } } },
    "src/words.ts": 'export enum Word { Said = "compiled" }',
    "src/say.ts": `${importLangGraph}${say}export { say };`,
    "src/agent.ts": 'import { Word } from "@/words"; import { say } from "./say"; export const graph = say(Word.Said).compile();',
  });
  expect(await probeRegistry(project)).toEqual({ agent: twice("compiled") });
});

test("a project with a LangGraph of its own gets ours, by import and by require, and so do the packages it uses", async () => {
  const fake = (name: string) => ({
    [`node_modules/${name}/package.json`]: { name, version: "0.0.1", exports: { ".": "./index.cjs", "./*": "./index.cjs" } },
    [`node_modules/${name}/index.cjs`]: `throw new Error("the project's own ${name} was loaded");`,
  });
  const project = await makeProject({
    ...fake("@langchain/langgraph"),
    ...fake("@langchain/core"),
    "node_modules/helper/package.json": { name: "helper", main: "index.js" },
    "node_modules/helper/index.js": `${requireLangGraph}${say}exports.say = say;`,
    "langgraph.json": {
      graphs: { es: "./es.mjs:graph", common: "./common.cjs:graph", packaged: "./packaged.ts:graph", same: "./same.mjs:graph" },
    },
    "es.mjs": `import "@langchain/langgraph/prebuilt"; import "@langchain/core/messages"; ${importLangGraph}${say}export const graph = say("es").compile();`,
    "common.cjs": `require("@langchain/langgraph/prebuilt"); ${requireLangGraph}${say}exports.graph = say("common").compile();`,
    "packaged.ts": 'import { say } from "helper"; export const graph = say("packaged").compile();',
    "same.mjs": `${importLangGraph}${say}
      import { createRequire } from "node:module";
      const required = createRequire(import.meta.url)("@langchain/langgraph");
      export const graph = say(required.StateGraph === StateGraph ? "one copy" : "two copies").compile();`,
  });
  expect(await probeRegistry(project)).toEqual({
    es: twice("es"),
    common: twice("common"),
    packaged: twice("packaged"),
    same: twice("one copy"),
  });
});

test("LangGraph's zod entry extends the zod of the project, by import and by require", async () => {
  const reducing = (zod: string) => `
    const said = ${zod}.array(${zod}.string()).default(() => []).langgraph.reducer((one, other) => one.concat(other), ${zod}.array(${zod}.string()));
    const two = (said) => new StateGraph(${zod}.object({ said })).addNode("one", () => ({ said: ["one"] })).addNode("two", () => ({ said: ["two"] }))
      .addEdge(START, "one").addEdge("one", "two").addEdge("two", END).compile();`;
  const es = `import { z } from "zod/v3"; import "@langchain/langgraph/zod"; ${importLangGraph} ${reducing("z")} export const graph = two(said);`;
  const common = `require("@langchain/langgraph/zod"); const { z } = require("zod/v3"); ${requireLangGraph} ${reducing("z")} exports.graph = two(said);`;
  const project = await makeProject({
    "langgraph.json": {
      graphs: {
        es: "./es.mjs:graph",
        ts: "./es.mts:graph",
        compiled: "./es.ts:graph",
        common: "./common.cjs:graph",
        meta: "./meta.mjs:graph",
      },
    },
    "es.mjs": es,
    "es.mts": es,
    "es.ts": es,
    "common.cjs": common,
    "meta.mjs": es
      .replace('import "@langchain/langgraph/zod"', 'import { withLangGraph } from "@langchain/langgraph/zod"')
      .replace(
        "two(said)",
        "two(withLangGraph(z.array(z.string()), { default: () => [], reducer: { fn: (one, other) => one.concat(other) } }))",
      ),
  });
  await cp("node_modules/zod", join(project, "node_modules/zod"), { recursive: true });
  const both = [{ said: ["one", "two"] }, { said: ["one", "two"] }];
  expect(await probeRegistry(project)).toEqual({ es: both, ts: both, compiled: both, common: both, meta: both });
});

test("the project's env is given as an object or as a file", async () => {
  const project = await makeProject({
    "graph.ts": "",
    ".env": 'PLAIN=one\n# a comment\nQUOTED="two words"\nEMPTY=\n',
    "object.json": { graphs: { a: "./graph.ts:graph" }, env: { TEXT: "one", NUMBER: 2, FLAG: true } },
    "file.json": { graphs: { a: "./graph.ts:graph" }, env: ".env" },
    "none.json": { graphs: { a: "./graph.ts:graph" } },
  });
  const envOf = async (file: string) => (await readProject(`${project}/${file}`)).env;
  expect(await envOf("object.json")).toEqual({ TEXT: "one", NUMBER: "2", FLAG: "true" });
  expect(await envOf("file.json")).toEqual({ PLAIN: "one", QUOTED: "two words", EMPTY: "" });
  expect(await envOf("none.json")).toEqual({});
});

test("keys that mean something elsewhere are named as ignored, and those for building images as such", async () => {
  const project = await makeProject({
    "graph.ts": "",
    "langgraph.json": {
      $schema: "x",
      node_version: "22",
      node_loader: "tsx",
      dependencies: ["."],
      graphs: { a: { path: "./graph.ts:graph", description: "says" } },
      checkpointer: { ttl: { default_ttl: 60, sweep_limit: 5 }, path: "./saver.ts" },
      unheard_of: 1,
      webhooks: { url: { require_https: true, resolve: 1 }, retries: 3 },
      http: { app: "./graph.ts:app", cors: { allow_origins: ["*"] }, unheard_of: 1 },
    },
  });
  const { ignoredKeys, buildKeys, graphs } = await readProject(`${project}/langgraph.json`);
  expect(buildKeys).toEqual(["dependencies", "node_version", "node_loader"]);
  expect(ignoredKeys).toEqual([
    "unheard_of",
    "http.unheard_of",
    "checkpointer.path",
    "checkpointer.ttl.sweep_limit",
    "webhooks.retries",
    "webhooks.url.resolve",
  ]);
  expect(graphs).toMatchObject([{ graphId: "a", description: "says" }]);
});

test("a graph sees the project's env under the process's own, and the log names what is ignored", async () => {
  const project = await makeProject({
    "langgraph.json": {
      graphs: { env: "./env.mjs:graph" },
      env: { MINE: "project", OURS: "project", EMPTY: "project" },
      unheard_of: 1,
      dependencies: ["."],
      node_loader: "tsx",
    },
    "env.mjs": `${importLangGraph}${say}
      const { MINE, OURS, EMPTY } = process.env;
      export const graph = say({ MINE, OURS, EMPTY }).compile();`,
  });
  const env = { DATABASE_URL: await createDatabase(), PORT: "0", OURS: "process", EMPTY: "" };
  const service = await startProcess(env, project);
  const values = await clientFor([service.url ?? ""]).client.runs.wait(null, "env", { input: {} });
  await service.stop();
  expect(values).toEqual({ said: { MINE: "project", OURS: "process", EMPTY: "project" } });
  expect(service.output()).toContain("these keys are not supported and are ignored: unheard_of");
  expect(service.output()).toContain("these keys are for building images and are not read: dependencies, node_loader");
});
