import { fileURLToPath } from "node:url";
import { beforeEach, expect, test, vi } from "vitest";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";

const model = await startModelServer();
const settings = { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: "test" };
for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
const config = fileURLToPath(new URL("./tiered/langgraph.json", import.meta.url));
const { client } = await startTestService({ ENSEMBLE_CONFIG: config, ...settings });

interface React {
  steps: { action: string; observation: string }[];
  ledger: { agent: string }[];
  output?: unknown;
  __interrupt__?: { value: Record<string, unknown> }[];
}

const done = globalThis as { deleted?: string[] };
beforeEach(() => {
  done.deleted = [];
});
const call = (name: string, args: unknown, id = `call_${crypto.randomUUID().slice(0, 8)}`) => ({ id, name, args });
const input = { messages: [{ role: "user", content: "Do it" }] };
const run = (threadId: string, tools: string[], payload: object) =>
  client.runs.wait(threadId, "react", { context: { tools }, ...payload }) as Promise<unknown> as Promise<React>;
const newThread = async () => (await client.threads.create()).thread_id;

test("a tool of tier 3 asks a person each time, although nobody listed it for approval", async () => {
  model.script({ toolCall: call("delete_order", { order: "7" }) }, { tokens: ["Done."] });
  const thread = await newThread();
  const { __interrupt__: questions } = await run(thread, ["delete_order"], { input });
  expect(questions?.[0]?.value).toMatchObject({ type: "approval", details: { tool: "delete_order", args: { order: "7" } } });
  expect(done.deleted).toEqual([]);
  const { steps } = await run(thread, ["delete_order"], { command: { resume: { approved: true } } });
  expect(steps).toMatchObject([{ observation: "deleted 7" }]);
  expect(done.deleted).toEqual(["7"]);
});

const cleaning = (...orders: string[]) =>
  model.script(
    { toolCall: call("agent__cleaner", { task: "Clean up" }) },
    { toolCalls: orders.map((order) => call("delete_order", { order }, `call_${order}`)) },
    { tokens: ["I propose to delete."] },
    { tokens: ["All is clean."] },
  );

test("a called agent proposes a call of tier 3, and it runs at the caller after approval", async () => {
  cleaning("7");
  const thread = await newThread();
  const asked = await run(thread, ["agent:cleaner"], { input });
  expect(asked.__interrupt__?.[0]?.value).toMatchObject({
    type: "approval",
    details: { tool: "delete_order", args: { order: "7" } },
    action_request: { action: "delete_order" },
  });
  expect(model.requests.at(-1)?.messages.at(-1)?.content).toMatch(/^Proposed to the agent that called you/);
  expect([done.deleted, model.requests.length]).toEqual([[], 3]);
  const { steps, ledger } = await run(thread, ["agent:cleaner"], { command: { resume: { approved: true } } });
  expect(done.deleted).toEqual(["7"]);
  expect(steps.at(-1)?.observation).toBe("I propose to delete.\n\ndelete_order, proposed by cleaner: deleted 7");
  expect(model.requests).toHaveLength(4); // the person's answer caused no model call to run again
  expect(ledger.map(({ agent }) => agent)).toEqual(["react", "cleaner", "cleaner", "react"]);
});

test("several proposals are one question, and each gets its own decision", async () => {
  cleaning("7", "8", "9");
  const thread = await newThread();
  const { __interrupt__: questions } = await run(thread, ["agent:cleaner"], { input });
  expect(questions).toHaveLength(1);
  const resume = [{ approved: true }, { approved: false, reason: "keep it" }, { approved: true, edited: { order: "10" } }];
  const { steps } = await run(thread, ["agent:cleaner"], { command: { resume } });
  expect(done.deleted).toEqual(["7", "10"]);
  expect(steps.at(-1)?.observation).toContain("delete_order, proposed by cleaner: Refused by a person: keep it");
});

test("a proposal goes up through two called agents, and a refused one does not run", async () => {
  model.script(
    { toolCall: call("agent__head", { task: "Have it cleaned" }) },
    { toolCall: call("agent__cleaner", { task: "Clean up" }) },
    { toolCall: call("delete_order", { order: "7" }) },
    { tokens: ["I propose to delete 7."] },
    { tokens: ["The cleaner proposes it."] },
    { tokens: ["Nothing was deleted."] },
  );
  const thread = await newThread();
  const { __interrupt__: questions } = await run(thread, ["agent:head"], { input });
  expect(questions).toHaveLength(1);
  expect(model.requests[4]?.messages.at(-1)?.content).toContain('Proposed: delete_order with {"order":"7"}');
  const { steps } = await run(thread, ["agent:head"], { command: { resume: { approved: false, reason: "no" } } });
  expect(steps.at(-1)?.observation).toContain("delete_order, proposed by cleaner: Refused by a person: no");
  expect([done.deleted, model.requests.length]).toEqual([[], 6]);
});

test("the error and the guards of the proposed tool hold at the caller too", async () => {
  cleaning("broken");
  const thread = await newThread();
  await run(thread, ["agent:cleaner"], { input });
  const { steps } = await run(thread, ["agent:cleaner"], { command: { resume: { approved: true } } });
  expect(steps.at(-1)?.observation).toContain("delete_order, proposed by cleaner: Error: no order broken");
  cleaning("7");
  const other = await newThread();
  await run(other, ["agent:cleaner"], { input });
  const resume = { approved: true, edited: { order: "all" } };
  const { steps: guarded } = await run(other, ["agent:cleaner"], { command: { resume } });
  expect(guarded.at(-1)?.observation).toContain('Error: The guardrail "regex" refused the delete_order');
  expect(done.deleted).toEqual([]);
});

test("data can raise the tier of a tool and not lower it, and a wrong tier is refused with its path", async () => {
  const pipeline = (agent: object, tools = ["calculate"]) => ({
    input: { task: "t", stages: [{ name: "one", do: { agent: "a" } }] },
    context: { agents: [{ name: "a", role: "r", tools, ...agent }] },
  });
  const wait = (payload: object) => client.runs.wait(null, "pipeline", payload) as Promise<unknown> as Promise<React>;
  model.script({ toolCall: call("calculate", { expression: "1 + 1" }) }, { tokens: ["2"] });
  expect((await wait(pipeline({ tiers: { calculate: 3 } }))).__interrupt__).toHaveLength(1);
  model.script({ toolCall: call("delete_order", { order: "7" }) }, { tokens: ["Done."] });
  expect((await wait(pipeline({ tiers: { delete_order: 1 } }, ["delete_order"]))).__interrupt__).toHaveLength(1);
  await expect(wait(pipeline({ tiers: { calculate: 4 } }))).rejects.toThrow(/HTTP 422.*agents\[0\]\.tiers\.calculate/s);
  await expect(wait(pipeline({ tiers: { now: 3 } }))).rejects.toThrow(/agents\[0\]\.tiers\.now: the agent has no tool/);
});

test("a step that calls a tool of tier 3 asks a person before it does", async () => {
  const stages = [{ name: "one", do: { tool: "delete_order", args: { order: "7" } } }];
  const thread = await newThread();
  const wait = (payload: object) => client.runs.wait(thread, "pipeline", payload) as Promise<unknown> as Promise<React>;
  expect((await wait({ input: { task: "t", stages } })).__interrupt__?.[0]?.value).toMatchObject({ details: { tool: "delete_order" } });
  expect((await wait({ command: { resume: { approved: true } } })).output).toBe("deleted 7");
  expect(done.deleted).toEqual(["7"]);
});
