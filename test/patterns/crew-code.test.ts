import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { crew, crewFrom } from "../../graphs/index.ts";
import { startPatterns } from "./service.ts";

const { model } = await startPatterns();
const agents = { poet: { role: "a poet", goal: "Write on {topic}" } };
const tasks = { write: { description: "Write on {topic}", expected_output: "a poem", agent: "poet" } };

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "crew-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "config"));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

test("in code, a crew is an object or a folder of CrewAI's files, and needs the inputs of its texts", async () => {
  model.script({ tokens: ["Rivers."] });
  expect(await crew({ agents, tasks }).invoke({ inputs: { topic: "rivers" } })).toMatchObject({ raw: "Rivers." });
  const folder = await folderWith({
    "config/agents.yaml": "poet:\n  role: >\n    a poet of {topic}\n  goal: Write\n  backstory: You rhyme.\n",
    "config/tasks.yaml": "write:\n  description: Write on {topic}\n  expected_output: a poem\n  agent: poet\n",
  });
  const graph = await crewFrom(folder, { name: "poets" });
  expect(await graph.invoke({ inputs: { topic: "seas" } })).toMatchObject({ raw: "Rivers." });
  expect(JSON.stringify(model.requests.at(-1)?.messages)).toContain("a poet of seas");
  await expect(graph.invoke({})).rejects.toThrow("topic");
});

test("a folder without its files, and a crew that cannot work, are refused with a sentence", async () => {
  await expect(crewFrom(await folderWith({ "agents.yaml": "a: [" }))).rejects.toThrow("agents.yaml");
  await expect(crewFrom(await folderWith({ "agents.yaml": "poet: { role: r, goal: g }" }))).rejects.toThrow("There is no tasks.yaml");
  expect(() => crew({ agents, tasks: { write: { ...tasks.write, agent: "eve" } } })).toThrow('there is no agent "eve"');
});
