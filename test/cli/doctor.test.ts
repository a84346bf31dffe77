import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { checkNode } from "../../src/cli/doctor/machine.ts";
import { echoProject, makeProject, runCommand } from "../command.ts";
import { createDatabase } from "../database.ts";
import { startTestService } from "../service.ts";

const project = await makeProject(echoProject);
const doctor = (env: Record<string, string>, folder = project) => runCommand(["doctor"], { NO_COLOR: "1", ...env }, folder);

test("a sound project and a migrated database have no problem, and the rehearsal model is a warning", async () => {
  const { databaseUrl } = await startTestService();
  const { code, stdout, stderr } = await doctor({ DATABASE_URL: databaseUrl });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain(`✓ Node      ${process.versions.node}`);
  expect(stdout).toMatch(/✓ Project {3}\S+langgraph\.json has 1 graph\./);
  expect(stdout).toMatch(/✓ Packages {2}@langchain\/langgraph \d/);
  expect(stdout).toMatch(/✓ Postgres {2}Version \d+\S* answers\./);
  expect(stdout).toContain("✓ Schema    The database is migrated to this release.");
  expect(stdout).toContain("! Model     The rehearsal model answers.");
  expect(stdout).toMatch(/\n0 problems, 1 warning\.\n$/);
});

test("missing migrations, another version of a package and an unknown key are named", async () => {
  const broken = await makeProject({
    ...echoProject,
    "langgraph.json": { ...echoProject["langgraph.json"], grapsh: {}, store: { index: { dims: 8, embed: "openai:any" } } },
    "node_modules/@langchain/core/package.json": { name: "@langchain/core", version: "0.3.1" },
  });
  const { code, stdout } = await doctor({ DATABASE_URL: await createDatabase("template1"), OPENAI_API_KEY: "sk-secret" }, broken);
  expect(code).toBe(1);
  expect(stdout).toContain("! Project   These keys have no effect: grapsh.");
  expect(stdout).toMatch(/✗ Packages {2}The project has @langchain\/core 0\.3\.1 in \S+/);
  expect(stdout).toMatch(/! Schema {4}\d+ migrations are not applied yet\./);
  expect(stdout).toContain("pgvector");
  expect(stdout).not.toContain("sk-secret");
});

test("a port in use, a database that does not answer and a wrong variable are problems with an advice", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const { code, stdout } = await doctor({ DATABASE_URL: "postgres://nobody:pw@127.0.0.1:9/none", PORT: String(port) });
  other.close();
  expect(code).toBe(1);
  expect(stdout).toMatch(/✗ Postgres {2}.+\n {12}Check DATABASE_URL/);
  expect(stdout).not.toContain(":pw@");
  expect(stdout).toContain(`✗ Port      127.0.0.1:${port} cannot be used: EADDRINUSE.`);
  const wrong = await doctor({ PORT: "many" });
  expect(wrong.code).toBe(1);
  expect(wrong.stdout).toMatch(/✗ Settings {2}PORT .*\n {12}Correct the variable/);
});

test("a missing file of a graph is a problem", async () => {
  const broken = await makeProject({ "langgraph.json": { graphs: { gone: "./gone.ts:graph" } } });
  const { code, stdout } = await doctor({}, broken);
  expect(code).toBe(1);
  expect(stdout).toMatch(/✗ Project {3}\S+langgraph\.json: graphs\.gone names \S+gone\.ts, which does not exist\./);
});

test("without a project file the doctor says how to begin, and an old Node is a problem", async () => {
  const { code, stdout } = await doctor({}, await makeProject({ "readme.md": "nothing" }));
  expect(code).toBe(1);
  expect(stdout).toContain("✗ Project   There is no");
  expect(stdout).toContain("starts its own Postgres");
  expect(checkNode("22.17.9")).toMatchObject({ state: "problem", advice: "Install Node 22.18 or newer." });
  expect(checkNode("22.18.0").state).toBe("ok");
});
