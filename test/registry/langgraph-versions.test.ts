import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { makeProject, probeRegistry, runCommand, sayHi } from "../command.ts";
import { createDatabase } from "../database.ts";
import { startProcess } from "../service.ts";

const { version: ours } = JSON.parse(readFileSync("node_modules/@langchain/langgraph/package.json", "utf8"));
const installed = (version: string, declares = "") => ({
  "node_modules/@langchain/langgraph/package.json": { name: "@langchain/langgraph", version },
  "node_modules/@langchain/langgraph/dist/index.d.ts": declares,
});
const hi = { "langgraph.json": { graphs: { hi: "./hi.mjs" } }, "hi.mjs": `${sayHi} export default builder.compile();` };

test("the start logs the LangGraph version only if the project has another version", async () => {
  const told = async (files: Record<string, string | object>) => {
    const env = { DATABASE_URL: await createDatabase(), PORT: "0", WORKER_DRAIN_TIMEOUT: "0.2" };
    const service = await startProcess(env, await makeProject({ ...hi, ...files }));
    await service.stop();
    return service.output();
  };
  expect(await told(installed("1.99.0"))).toContain(`LangGraph: project has langgraph 1.99.0, runs on ${ours}\n`);
  expect(await told(installed(ours))).not.toContain("project has langgraph");
});

test("a project with LangGraph 0.x is refused with a sentence", async () => {
  const root = await makeProject({ ...hi, ...installed("0.4.9") });
  const { code, stdout, stderr } = await runCommand(["start"], { DATABASE_URL: "postgresql://postgres@127.0.0.1:1/postgres" }, root);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(
    /^ensemble: The project has langgraph 0\.4\.9 \(.+\), and Ensemble runs graphs on .+ install .+ 1\.x in the project\.\n$/,
  );
});

test("an export that only the project's newer version has fails with a sentence that says so", async () => {
  const imports = 'import { NewGraph } from "@langchain/langgraph";\nexport const graph = new NewGraph();\n';
  const root = await makeProject({
    ...installed("1.99.0", "export declare class NewGraph {}"),
    "langgraph.json": { graphs: { es: "./es.mjs:graph", ts: "./typed.mts:graph", common: "./common.ts:graph", none: "./none.mjs:graph" } },
    "es.mjs": imports,
    "typed.mts": imports,
    "common.ts": imports,
    "none.mjs": imports.replaceAll("NewGraph", "NoGraph"),
  });
  const sentence = `could not be imported: "NewGraph" is not in @langchain/langgraph ${ours}, on which Ensemble runs graphs; the project's 1.99.0, which has it, is not used (at ${root}/`;
  expect(await probeRegistry(root)).toEqual({
    es: expect.stringContaining(`${sentence}es.mjs:1`),
    ts: expect.stringContaining(`${sentence}typed.mts:1`),
    common: expect.stringContaining(`${sentence}common.ts:2:22)`),
    none: expect.stringContaining(
      `"NoGraph" is not in @langchain/langgraph ${ours}, on which Ensemble runs graphs; the project's 1.99.0 is not used`,
    ),
  });
});
