import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { startTestService } from "../service.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
const folder = fileURLToPath(new URL("../../graphs/presets", import.meta.url));
const names = (await readdir(folder)).map((name) => name.replace(".yaml", ""));
beforeEach(() => model.script());

test("each file is an assistant with a name, a description and an example, that callers name by the file's name", async () => {
  for (const name of names) {
    const assistant = await client.assistants.get(name);
    expect(assistant).toMatchObject({ name: expect.any(String), description: expect.any(String) });
    expect(assistant.metadata).toMatchObject({ created_by: "system", preset: name, example: { task: expect.any(String) } });
  }
});

test("a launch whose spec fails stops, and a failed battlecard only warns", async () => {
  const example = (await client.assistants.get("product-launch")).metadata?.example as object;
  model.respond((messages) => (messages.includes("product manager") ? { status: 400 } : { tokens: ["a document"] }));
  expect(await client.runs.wait(null, "product-launch", { input: { ...example } })).toMatchObject({ status: "stopped", stoppedAt: "spec" });
  model.respond((messages) =>
    messages.includes("sales enablement") ? { status: 400 } : { tokens: [messages.includes("tracker") ? "the tracker" : "a document"] },
  );
  const launched = await client.runs.wait(null, "product-launch", { input: { ...example } });
  expect(launched).toMatchObject({ status: "completed", output: "the tracker", warnings: [expect.stringContaining("battlecard")] });
  const support = model.requests.map(({ messages }) => JSON.stringify(messages)).find((text) => text.includes("support lead"));
  expect(support).not.toContain("call to action"); // the agent gets only the specification
});

test("customer research asks the next source only while it is unsure, and nothing leaves without approval", async () => {
  const sure = { json: { found: "The export has no dates.", confidence: 0.95 } };
  model.respond((messages) => (messages.includes("from memory") ? sure : { tokens: ["a draft"] }));
  const { thread_id } = await client.threads.create();
  const example = (await client.assistants.get("customer-research")).metadata?.example as object;
  const asked = await client.runs.wait(thread_id, "customer-research", { input: { ...example } });
  expect(Object(asked).__interrupt__).toMatchObject([{ value: { prompt: "May this message be sent?", details: "a draft" } }]);
  const refused = await client.runs.wait(thread_id, "customer-research", { command: { resume: "do not send" } });
  expect(Object(refused).outcomes).toMatchObject({
    mail: { status: "skipped" },
    tickets: { status: "skipped" },
    message: { status: "skipped" },
  });
});

test("a review is written without marketing, but not without finance", async () => {
  const example = (await client.assistants.get("qbr")).metadata?.example as object;
  model.respond((messages) => (messages.includes("head of marketing") ? { status: 400 } : { tokens: ["a section"] }));
  expect(await client.runs.wait(null, "qbr", { input: { ...example } })).toMatchObject({ missing: ["marketing"], answer: "a section" });
  model.respond((messages) => (messages.includes("finance partner") ? { status: 400 } : { tokens: ["a section"] }));
  await expect(client.runs.wait(null, "qbr", { input: { ...example } })).rejects.toThrow('"finance" failed');
});

test("the test orchestra goes through its sections in order, and stops at a critical failure if a person says so", async () => {
  const sections = ["preparation", "discovery", "execution", "analysis"];
  const workers = ["environment-provisioner", "feature-scout", "ui-tester", "result-analyzer"];
  const objectives = sections.map((squad, index) => ({
    ...{ id: squad, squad, goal: `do the ${squad}`, done: "reported" },
    dependsOn: sections.slice(0, index).slice(-1),
  }));
  let escalation = "CRITICAL: the database is gone.";
  const decisions = [
    { decision: "ask", reason: "critical", question: "Stop all tests?", options: ["stop", "go on"] },
    { decision: "finish", reason: "stopped" },
  ];
  model.respond((messages) => {
    if (messages.includes("Turn this mission")) return { json: { objectives } };
    if (messages.includes("Decide what follows")) return { json: decisions.shift() ?? { decision: "continue", reason: "fine" } };
    const told = {
      done: true,
      summary: "reported",
      escalations: messages.includes("do the discovery") ? [escalation].filter(Boolean) : [],
    };
    if (messages.includes("Report to the commander")) return { json: told };
    const squad = sections.findIndex((name) => messages.includes(`for the team: do the ${name}`));
    if (squad >= 0) return { json: { steps: [{ id: "a", agent: workers[squad], task: "look", dependsOn: [] }] } };
    if (messages.includes("Review the work")) return { json: { decision: "finish", reason: "done" } };
    return messages.includes("Write the report") ? { tokens: ["a report"] } : { json: { summary: "seen", findings: [] } };
  });
  const example = (await client.assistants.get("test-orchestra")).metadata?.example as object;
  const { thread_id } = await client.threads.create();
  const asked = await client.runs.wait(thread_id, "test-orchestra", { input: { ...example } });
  expect(Object(asked).__interrupt__).toMatchObject([{ value: { prompt: "Stop all tests?" } }]);
  const stopped = await client.runs.wait(thread_id, "test-orchestra", { command: { resume: "stop" } });
  expect(Object.keys(Object(stopped).reports)).toEqual(["preparation", "discovery"]);
  expect(Object(stopped).report.gaps).toHaveLength(2);

  escalation = "";
  const done = await client.runs.wait(null, "test-orchestra", { input: { ...example } });
  expect(Object.values(Object(done).reports)).toMatchObject(sections.map((squad) => ({ squad, status: "done" })));
});

test("a deal that one field calls red is decided by a person, who may choose any option of the ballot", async () => {
  const view = (status: string) => ({ json: { option: "sign", position: "Sign it.", confidence: 1, status, reasons: ["so"] } });
  let legal = "red";
  model.respond((messages) => {
    if (messages.includes("Write the decision on")) return { tokens: ["The brief."] };
    return view(messages.includes("commercial lawyer") ? legal : "green");
  });
  const example = (await client.assistants.get("deal-review")).metadata?.example as object;
  const { thread_id } = await client.threads.create();
  const asked = await client.runs.wait(thread_id, "deal-review", { input: { ...example } });
  const [question] = Object(asked).__interrupt__;
  expect(question.value).toMatchObject({ options: ["sign", "renegotiate", "decline", "no decision"] });
  expect(question.value.prompt).toContain("Blocked by legal: status red.");
  const decided = await client.runs.wait(thread_id, "deal-review", { command: { resume: "renegotiate" } });
  expect(decided).toMatchObject({ decision: "renegotiate", decidedBy: "human", result: "The brief." });
  legal = "yellow";
  expect(await client.runs.wait(null, "deal-review", { input: { ...example } })).toMatchObject({
    decision: "sign",
    decidedBy: "consensus",
  });
});

test("the skill factory scans a skill before a person approves it, and a failed scan stops it", async () => {
  let safe = true;
  model.respond((messages) => {
    if (messages.includes("Judge the output")) return { json: { passed: true, quality: 1, reasons: [], findings: [] } };
    if (messages.includes("acquires or writes")) return { json: { way: "created", artifacts: ["notes.ts: …"] } };
    if (messages.includes("reviews skills")) return { json: { artifacts: ["report"], tests: [{ name: "secrets", passed: safe }] } };
    return { tokens: ["done"] };
  });
  const example = (await client.assistants.get("skill-factory")).metadata?.example as object;
  const { thread_id } = await client.threads.create();
  const asked = await client.runs.wait(thread_id, "skill-factory", { input: { ...example } });
  expect(Object(asked).__interrupt__).toMatchObject([{ value: { prompt: "May this skill be installed?" } }]);
  const done = await client.runs.wait(thread_id, "skill-factory", { command: { resume: "install" } });
  expect(done).toMatchObject({ status: "completed", skills: ["scout", "maker", "security-scanner", "installer", "watcher"] });

  safe = false;
  const other = await client.threads.create();
  const blocked = await client.runs.wait(other.thread_id, "skill-factory", { input: { ...example } });
  expect(Object(blocked).__interrupt__).toMatchObject([{ value: { options: ["overrule", "stop"] } }]);
  const stopped = await client.runs.wait(other.thread_id, "skill-factory", { command: { resume: "stop" } });
  expect(stopped).toMatchObject({ status: "stopped" });
});

async function projectWith(preset: string, name = "mine.yaml") {
  const directory = await mkdtemp(join(tmpdir(), "presets-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const graphs = { react: `${fileURLToPath(new URL("../../graphs/react.ts", import.meta.url))}:graph` };
  await writeFile(join(directory, "langgraph.json"), JSON.stringify({ graphs, ensemble: { assistants: "." } }));
  await writeFile(join(directory, name), preset);
  return join(directory, "langgraph.json");
}

const mine = (instructions: string) =>
  `graph: react\nname: Mine\ndescription: Mine.\ncontext: { instructions: ${instructions} }\nexample: { messages: [{ role: user, content: Hello }] }\n`;

test("a changed file gives its assistant a new version, and an unchanged one does not", async () => {
  const file = await projectWith(mine("first"));
  const first = await startTestService({ ENSEMBLE_CONFIG: file, ENSEMBLE_ROLE: "api" });
  expect(await first.client.assistants.get("mine")).toMatchObject({ version: 1, context: { instructions: "first" } });
  const again = await startTestService({ ENSEMBLE_CONFIG: file, ENSEMBLE_ROLE: "api", DATABASE_URL: first.databaseUrl });
  expect(await again.client.assistants.get("mine")).toMatchObject({ version: 1 });
  await writeFile(join(file, "../mine.yaml"), mine("second"));
  const changed = await startTestService({ ENSEMBLE_CONFIG: file, ENSEMBLE_ROLE: "api", DATABASE_URL: first.databaseUrl });
  expect(await changed.client.assistants.get("mine")).toMatchObject({ version: 2, context: { instructions: "second" } });
});

test.each([
  ["an unknown graph", "graph: nothing\nname: A\ndescription: B\nexample: {}\n", 'there is no graph "nothing"'],
  ["a misspelt context", mine("x").replace("instructions", "instructoins"), "context.instructoins"],
  ["a key that does not exist", `${mine("x")}contxt: {}\n`, "contxt"],
  ["no YAML", "graph: [", "mine.yaml"],
])("%s stops the start with a sentence that names the file", async (_what, preset, message) => {
  const file = await projectWith(preset);
  await expect(startTestService({ ENSEMBLE_CONFIG: file, ENSEMBLE_ROLE: "api" })).rejects.toThrow(message);
});
