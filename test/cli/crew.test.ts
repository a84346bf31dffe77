import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { makeProject, runCommand } from "../command.ts";
import { startPatterns } from "../patterns/service.ts";

const { model, urls } = await startPatterns();
const env = { ENSEMBLE_URL: urls[0] ?? "" };
const files = {
  "agents.yaml": "poet:\n  role: a poet of {topic}\n  goal: Write\n",
  "tasks.yaml": "write:\n  description: Write on {topic}\n  expected_output: a poem\n  agent: poet\n  human_input: true\n",
};

test("`ensemble crew` runs the files of a folder with its inputs, and a person's answer continues it", async () => {
  model.script({ tokens: ["Rivers."] });
  const folder = await makeProject({ ...files, "inputs.json": { topic: "rivers" } });
  const asked = await runCommand(["crew", folder, "--inputs", `${folder}/inputs.json`], env);
  expect(asked).toMatchObject({ code: 3, stdout: expect.stringContaining('Is the result of "write" right?') });
  expect(JSON.stringify(model.requests[0]?.messages)).toContain("a poet of rivers");
  const threadId = /thread (\S+)/.exec(asked.stdout)?.[1] ?? "";
  const done = await runCommand(["crew", folder, "--thread", threadId, "--resume", '"approve"', "--json"], env);
  expect(done.code).toBe(0);
  expect(JSON.parse(done.stdout.trim().split("\n").at(-1) ?? "")).toMatchObject({ data: { raw: "Rivers." } });
});

test("a folder without a crew, a file that is no YAML, and a missing input are named", async () => {
  const here = fileURLToPath(new URL(".", import.meta.url));
  expect((await runCommand(["crew", here], env)).stderr).toContain("There is no agents.yaml");
  const broken = await makeProject({ ...files, "tasks.yaml": "a: [" });
  expect((await runCommand(["crew", broken], env)).stderr).toContain("tasks.yaml: ");
  const missing = await runCommand(["crew", await makeProject(files)], env);
  expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining("inputs.topic") });
});
