import { MemorySaver } from "@langchain/langgraph";
import { beforeEach, expect, test } from "vitest";
import { guarded, pipeline, reflect } from "../../graphs/index.ts";
import { collect } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script({ tokens: ["Done."] }));

interface Values {
  messages: { type: string; content: string }[];
  ledger: { agent: string }[];
  output: unknown;
  outcomes: unknown;
  __interrupt__?: { value: Record<string, unknown> }[];
}

const stages = [
  { name: "one", do: { task: "Do one" } },
  { name: "two", do: { task: "Do two" } },
];
const run = (guardrails: object, more: object = {}, graph = "pipeline", threadId: string | null = null) =>
  client.runs.wait(threadId as string, graph, {
    input: { task: "Write to ada@example.org", ...(graph === "pipeline" && { stages }), ...more },
    context: { guardrails },
  }) as Promise<unknown> as Promise<Values>;
const mail = { kind: "pii", onFail: { replace: "[mail]" } };

test.each([
  "pipeline",
  "reflect",
  "plan-execute",
  "supervisor",
  "fan-out",
  "panel",
  "debate",
  "group-chat",
  "swarm",
  "team",
  "hierarchy",
  "crew",
  "saga",
  "map-reduce",
  "work-engine",
  "choreography",
  "flow",
  "blackboard",
  "bus",
  "mesh",
  "state-machine",
  "chooser",
  "react",
  "chat",
])("an input that does not pass ends the run before the first call: %s", async (graph) => {
  const messages = [{ role: "user", content: "Write to ada@example.org" }];
  const input = graph === "react" || graph === "chat" ? { messages } : { task: "Write to ada@example.org" };
  const failing = client.runs.wait(null, graph, { input, context: { guardrails: { input: [{ kind: "pii" }] } } });
  await expect(failing).rejects.toThrow("It has personal data.");
  expect(model.requests).toHaveLength(0);
});

test.each(["task", "messages"])("a replaced input is replaced on the thread too: %s", async (form) => {
  const { thread_id: threadId } = await client.threads.create();
  const messages = [{ role: "user", content: "Write to ada@example.org" }];
  const more = form === "messages" ? { task: null, messages } : {};
  const { messages: said } = await run({ input: [mail] }, { ...more, input: { to: "bob@example.org", from: "me" } }, "pipeline", threadId);
  expect(said[0]?.content).toBe("Write to [mail]");
  const sent = JSON.stringify(model.requests);
  expect(sent).toContain('{\\"to\\":\\"[mail]\\",\\"from\\":\\"me\\"}');
  expect(sent).not.toContain("example.org");
  expect(JSON.stringify((await client.threads.getState(threadId)).values)).not.toContain("example.org");
});

test.each(["pipeline", "reflect", "supervisor", "react"])("a replaced answer leaks by no stream: %s", async (graph) => {
  model.respond((messages) => {
    if (messages.includes("Split this task")) return { json: { steps: [{ id: "a", agent: "worker", task: "do", dependsOn: [] }] } };
    if (messages.includes("Review the work")) return { json: { decision: "finish", reason: "eve@example.org did it" } };
    if (messages.includes("Judge this draft")) return { json: { valid: true, score: 1, problems: [] } };
    if (messages.includes("findings")) return { json: { summary: "eve@example.org wrote", findings: [] } };
    return { tokens: ["Ask ada@", "example.org", " now."] };
  });
  const streamMode = ["messages-tuple", "events", "values", "updates", "custom", "debug"] as unknown as ["values"];
  const input = graph === "react" ? { messages: [{ role: "user", content: "Say it" }] } : { task: "Say it" };
  const context = { guardrails: { output: [mail] }, ...(graph === "supervisor" && { roster: [{ name: "worker", role: "a worker" }] }) };
  const seen = JSON.stringify(await collect(client.runs.stream(null, graph, { input, context, streamMode, streamSubgraphs: true })));
  expect(seen).toContain(graph === "supervisor" ? "[mail] wrote" : "Ask [mail] now.");
  expect(seen).not.toContain("example.org");
});

test("an answer that does not pass fails the run, and the answers of single agents may be shorter", async () => {
  model.script({ tokens: ["one two three"] }, { tokens: ["one"] });
  await expect(run({ output: [{ kind: "minWords", words: 2 }] })).rejects.toThrow('The guardrail "minWords" refused the output');
  model.script({ tokens: ["one"] }, { tokens: ["one two three"] });
  expect((await run({ output: [{ kind: "minWords", words: 2 }] })).output).toBe("one two three");
  model.script({ tokens: ["one"] });
  const { output, messages } = await run({ output: [{ kind: "minWords", words: 2, onFail: { replace: "Nothing to say." } }] });
  expect([output, messages.at(-1)?.content]).toEqual(["Nothing to say.", "Nothing to say."]);
});

test("judges of a whole pattern are in its ledger, and count towards its budget", async () => {
  model.respond((messages) => (messages.includes("keep this rule") ? { json: { passes: true, reason: "" } } : { tokens: ["Hi."] }));
  const judge = { kind: "judge", rule: "Be kind" };
  const { ledger } = await run({ input: [judge], output: [judge] });
  expect(ledger.map(({ agent }) => agent)).toEqual(["pattern guard", "one", "two", "pattern guard"]);
  const dollars = { budget: { dollars: 1 }, guardrails: { output: [{ ...judge, model: "unpriced" }] } };
  const refused = client.runs.wait(null, "pipeline", { input: { task: "t", stages }, context: dollars });
  await expect(refused).rejects.toThrow('context.budget.dollars: the model \\"unpriced\\" has no price');
});

test("a person decides about the input of a pattern", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const context = { guardrails: { input: [{ kind: "pii", onFail: "ask" }] } };
  const input = { task: "Write to ada@example.org", stages };
  const asked = (await client.runs.wait(threadId, "pipeline", { input, context })) as unknown as Values;
  expect(asked.__interrupt__?.[0]?.value).toMatchObject({ type: "approval", details: { guard: "pii" } });
  expect(model.requests).toHaveLength(0);
  const ended = (await client.runs.wait(threadId, "pipeline", { command: { resume: { approved: true } }, context })) as unknown as Values;
  expect(ended.output).toBe("Done.");
});

test("a wrong guardrail of a pattern is refused with its path", async () => {
  await expect(run({ output: [{ kind: "pii", onFail: "retry" }] })).rejects.toThrow(
    "context.guardrails.output[0].onFail: here a guard cannot retry; it can block, replace",
  );
  await expect(run({ tool: {} })).rejects.toThrow(/HTTP 422.*guardrails\.tool: unknown key/s);
});

test("in code, a pattern takes functions as guards", async () => {
  const polite = (text: unknown) => ({ ok: !String(text).includes("shout"), reason: "Be quiet." });
  const graph = guarded(pipeline({ stages }), { input: [polite], output: [(text) => ({ ok: true, value: `${text} Bye.` })] });
  await expect(graph.invoke({ task: "shout" })).rejects.toThrow('The guardrail "polite" refused the input: Be quiet.');
  expect(await graph.invoke({ task: "say" })).toMatchObject({ output: "Done. Bye." });
  const plain = reflect({ maxRounds: 1 });
  Object.assign(plain, { checkpointer: new MemorySaver() });
  model.script({ tokens: ["Draft."] }, { json: { valid: true, score: 1, problems: [] } });
  expect(await plain.invoke({ task: "say" }, { configurable: { thread_id: "t" } })).toMatchObject({ result: "Draft." });
});
