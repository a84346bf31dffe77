import { existsSync } from "node:fs";
import { readdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@langchain/langgraph-sdk";
import { expect, onTestFinished, test } from "vitest";
import { makeProject, runCommand } from "../command.ts";
import { createDatabase } from "../database.ts";
import { startProcess } from "../service.ts";

const home = await makeProject({ "full/notes.txt": "", "file.txt": "", "empty/.gitkeep": "" });
const create = (folder: string[], cwd = home) => runCommand(["new", ...folder, "--package", "^0.1.0"], {}, cwd);

test("a new project has an agent that runs, a test, and the versions of this release", async () => {
  const { code, stdout, stderr } = await create(["My Agents"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain('cd "My Agents"\n  npm install\n  npm run dev');

  const project = join(home, "My Agents");
  expect((await readdir(project)).sort()).toEqual(
    [".dockerignore", ".env", ".env.example", ".gitignore", "README.md", "langgraph.json", "package.json", "src", "tsconfig.json"].sort(),
  );
  const manifest = JSON.parse(await readFile(join(project, "package.json"), "utf8"));
  const release = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
  const ours = JSON.parse(await readFile(new URL("../../package-lock.json", import.meta.url), "utf8")).packages;
  expect(manifest).toMatchObject({ name: "my-agents", type: "module", engines: release.engines, dependencies: { ensemble: "^0.1.0" } });
  for (const name of ["zod", "@langchain/core", "@langchain/langgraph"])
    expect(manifest.dependencies[name]).toBe(ours[`node_modules/${name}`].version);
  expect(await readFile(join(project, "README.md"), "utf8")).not.toContain("{{");

  await symlink(fileURLToPath(new URL("../../node_modules", import.meta.url)), join(project, "node_modules"));
  const service = await startProcess({ PORT: "0", LOG_LEVEL: "error", DATABASE_URL: await createDatabase() }, project);
  onTestFinished(() => service.stop().then(() => {}));
  const input = { messages: [{ role: "user", content: "How is the weather in Oslo?" }] };
  const { messages } = (await new Client({ apiUrl: service.url }).runs.wait(null, "agent", { input })) as {
    messages: { content: string }[];
  };
  expect(messages.at(-1)?.content).toContain("It is sunny in");
});

test("an empty folder becomes a project, and a folder with files does not", async () => {
  expect((await create([], join(home, "empty"))).code).toBe(0);
  expect(existsSync(join(home, "empty", "langgraph.json"))).toBe(true);

  for (const [folder, reason] of [
    [["full"], "is not empty: it has notes.txt. Name another folder."],
    [["file.txt"], "it is a file"],
    [[], "is not empty"],
  ] as const) {
    const { code, stderr } = await create([...folder]);
    expect(code).toBe(1);
    expect(stderr).toContain(reason);
  }
  expect(await readdir(join(home, "full"))).toEqual(["notes.txt"]);
});
