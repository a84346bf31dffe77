import { expect, test } from "vitest";
import { makeProject, whyNotLoaded } from "../command.ts";

const graphs = (path: string) => ({ graphs: { agent: path } });
const cases: [what: string, files: Record<string, string | object>, says: string | RegExp][] = [
  [
    "an export that is not there",
    { "langgraph.json": graphs("./agent.ts:graph"), "agent.ts": "export const other = 1;" },
    'no export "graph"; it exports other.',
  ],
  [
    "a file that throws",
    { "langgraph.json": graphs("./agent.ts:graph"), "agent.ts": 'throw new Error("no key");' },
    /could not be imported: no key \(at \/\S+\/agent\.ts:1:7\)/,
  ],
  [
    "a file whose helper throws, after types that are taken away",
    {
      "langgraph.json": graphs("./agent.mts:graph"),
      "agent.mts": 'import { key } from "./key.mts";\nexport const graph = key();',
      "key.mts": 'interface Key {\n  text: string;\n}\n\nexport const key = (): Key => {\n  throw new Error("no key");\n};',
    },
    /could not be imported: no key \(at \/\S+\/key\.mts:6:9\)/,
  ],
  [
    "a package that throws, at the line that asked it",
    {
      "langgraph.json": graphs("./agent.mjs:graph"),
      "agent.mjs": 'import { make } from "helper";\n\nmake();',
      "node_modules/helper/package.json": { name: "helper", type: "module", exports: "./index.js" },
      "node_modules/helper/index.js": 'export const make = () => {\n  throw new Error("no key");\n};',
    },
    /could not be imported: no key \(at \/\S+\/agent\.mjs:3:1\)/,
  ],
  [
    "a file that throws no error",
    { "langgraph.json": graphs("./agent.ts:graph"), "agent.ts": 'throw "a word";' },
    "could not be imported: a word",
  ],
  [
    "a file that does not parse",
    { "langgraph.json": graphs("./agent.ts:graph"), "agent.ts": "const x = ;" },
    'agent.ts:1:10: ERROR: Unexpected ";"',
  ],
  [
    "a plain ES module that does not parse",
    { "langgraph.json": graphs("./agent.mjs:graph"), "agent.mjs": "const a = 1;\n\nconst x = ;" },
    /could not be imported: Unexpected token ';' \(at \/\S+\/agent\.mjs:3\)/,
  ],
  [
    "an import that does not parse",
    {
      "langgraph.json": graphs("./agent.mjs:graph"),
      "agent.mjs": 'import "./fine.mjs";\nimport "./broken.mjs";',
      "fine.mjs": "export const a = 1;",
      "broken.mjs": "\nexport const x = ;",
    },
    /could not be imported: Unexpected token ';' \(at \/\S+\/broken\.mjs:2\)/,
  ],
  [
    "an import of plain JavaScript that does not parse",
    {
      "langgraph.json": graphs("./agent.ts:graph"),
      "package.json": { type: "module" },
      "agent.ts": 'import "./broken.js";',
      "broken.js": "\nexport const x = ;",
    },
    /could not be imported: .* \(at \/\S+\/broken\.js:2(:\d+)?\)|broken\.js:2:\d+: ERROR/,
  ],
  [
    "a CommonJS file that does not parse",
    { "langgraph.json": graphs("./agent.cjs:graph"), "agent.cjs": "const a = 1;\nconst x = ;" },
    /could not be imported: .* \(at \/\S+\/agent\.cjs:2(:\d+)?\)|agent\.cjs:2:\d+: ERROR/,
  ],
  [
    "a JSON import that does not parse",
    {
      "langgraph.json": graphs("./agent.mjs:graph"),
      "agent.mjs": 'import data from "./data.json" with { type: "json" };\nexport const graph = data;',
      "data.json": "{ a",
    },
    /could not be imported: .*data\.json/,
  ],
  [
    "a package that is not installed",
    { "langgraph.json": graphs("./agent.ts:graph"), "agent.ts": 'import "no-such-package";' },
    "Cannot find module 'no-such-package'",
  ],
  [
    "an export that is no graph",
    { "langgraph.json": graphs("./agent.ts:graph"), "agent.ts": "export const graph = { nodes: [] };" },
    "is not a graph",
  ],
  ["an export that is null", { "langgraph.json": graphs("./agent.ts:graph"), "agent.ts": "export const graph = null;" }, "is not a graph"],
];

test("one sentence says why the file of a graph cannot be loaded", async () => {
  const sentences = await whyNotLoaded(await Promise.all(cases.map(([, files]) => makeProject(files))));
  for (const [index, [what, , says]] of cases.entries()) expect(sentences[index], what).toMatch(says);
});
