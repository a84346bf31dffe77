import { fileURLToPath } from "node:url";
import { beforeEach, expect, test, vi } from "vitest";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";

const model = await startModelServer();
const settings = { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: "test" };
for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
const config = fileURLToPath(new URL("./knowing/langgraph.json", import.meta.url));
const { client } = await startTestService({ ENSEMBLE_CONFIG: config, ...settings });
beforeEach(() => model.script({ tokens: ["Done."] }));

interface Values {
  status: string;
  error: string | null;
  ledger: { agent: string; outcome: string }[];
}
let assistants = 0;
const newAssistant = async () => (await client.assistants.create({ graphId: "pipeline", name: `a${assistants++}` })).assistant_id;
const run = (assistant: string, task: string, memory: object, more: object = {}) =>
  client.runs.wait(null, assistant, {
    input: { task, stages: [{ name: "one", do: { agent: "scholar", task } }] },
    context: { agents: [{ name: "scholar", role: "a scholar", memory, retries: 0, ...more }] },
  }) as Promise<unknown> as Promise<Values>;
const asked = (request: number) => String(model.requests[request]?.messages.at(-1)?.content);

test("an agent reads what came of a like task, and of no other", async () => {
  const assistant = await newAssistant();
  model.script({ tokens: ["Water is faster outside."] });
  await run(assistant, "Say why rivers bend", { tasks: true });
  await run(assistant, "Say why rivers bend so much", { tasks: true });
  expect(asked(1)).toContain("[an earlier task]\nTask: Say why rivers bend\nOutcome (success): Water is faster outside.");
  await run(assistant, "Count ten apples", { tasks: true });
  expect(asked(2)).toMatch(/^Task: Count/);
  await run(await newAssistant(), "Say why rivers bend", { tasks: true });
  expect(asked(3)).toMatch(/^Task: Say/);
});

test("a task that failed is remembered as failed", async () => {
  const assistant = await newAssistant();
  model.script({ status: 400 }, { tokens: ["Now it works."] });
  expect((await run(assistant, "Say why rivers bend", { tasks: true })).status).toBe("stopped");
  await run(assistant, "Say why rivers bend", { tasks: true });
  expect(asked(1)).toContain("Outcome (failed): ");
});

test("facts about people and things are noted after a task, added up, and read before later ones", async () => {
  const assistant = await newAssistant();
  let facts = ["Ada likes rivers."];
  model.respond((messages) =>
    messages.includes("Note facts") ? { json: { entities: [{ name: "Ada", facts }] } } : { tokens: ["So it is."] },
  );
  const { ledger } = await run(assistant, "Ask Ada", { entities: true });
  expect(ledger.map(({ agent }) => agent)).toEqual(["scholar", "memory"]);
  facts = ["Ada likes rivers.", "Ada rows."];
  await run(assistant, "Ask Ada", { entities: true }, { scoreThreshold: 0.1 });
  expect(asked(2)).toContain("[memory]\nAda: Ada likes rivers.");
  await run(assistant, "Ask Ada", { entities: true }, { scoreThreshold: 0.1 });
  expect(asked(4)).toContain("Ada: Ada likes rivers. Ada rows.");
});

test("a note that cannot be made does not lose the answer", async () => {
  const assistant = await newAssistant();
  model.respond((messages) => (messages.includes("Note facts") ? { status: 400 } : { tokens: ["So it is."] }));
  const { status, ledger } = await run(assistant, "Ask Ada", { entities: true });
  expect(status).toBe("completed");
  expect(ledger).toMatchObject([
    { agent: "scholar", outcome: "success" },
    { agent: "memory", outcome: "failed" },
  ]);
});

test("a wrong memory is refused with its path", async () => {
  await expect(run(await newAssistant(), "Ask", { task: true })).rejects.toThrow(/HTTP 422.*agents\[0\]\.memory\.task: unknown key/s);
});
