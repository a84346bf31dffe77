import { beforeEach, expect, test } from "vitest";
import { collect } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface Values {
  status: string;
  output: unknown;
  error: string | null;
  ledger: { agent: string }[];
}

/** Returns a run of one stage whose agent has these guardrails. */
const payload = (guardrails: object, { task = "Say it", messages, context, ...agent }: Record<string, unknown> = {}) => ({
  input: { ...(messages ? { messages } : { task }), stages: [{ name: "one", do: { agent: "guarded" } }] },
  context: { agents: [{ name: "guarded", role: "a writer", guardrails, ...agent }], ...(context as object) },
});
const run = (guardrails: object, more: object = {}) =>
  client.runs.wait(null, "pipeline", payload(guardrails, more as never)) as Promise<unknown> as Promise<Values>;
const call = (name: string, args: unknown) => ({ id: `call_${crypto.randomUUID().slice(0, 8)}`, name, args });
const sentTo = (request: number) => JSON.stringify(model.requests[request]?.messages);

test("the error of a tool goes through its guards before the model reads it", async () => {
  const replies = [{ toolCall: call("calculate", { expression: "ada@example.org + (" }) }, { tokens: ["So."] }];
  model.script(...replies);
  const tools = ["calculate"];
  await run({ tool: { calculate: [{ kind: "regex", forbid: "Syntax error", on: "result" }] } }, { tools });
  expect(model.requests[1]?.messages.at(-1)?.content).toBe(
    'Error: The guardrail "regex" refused the calculate: It matches a forbidden pattern.',
  );
  model.script(...replies);
  const replace = [{ kind: "regex", forbid: "Syntax error", onFail: { replace: "[hidden]" } }];
  await run({ tool: { calculate: replace } }, { tools });
  expect(model.requests[1]?.messages.at(-1)?.content).toMatch(/^Error: .*\[hidden\]/);
});

test("a guard of the length or form of a result does not hide an error", async () => {
  model.script({ toolCall: call("calculate", { expression: "(" }) }, { tokens: ["So."] });
  await run({ tool: { calculate: [{ kind: "minWords", words: 50, on: "result" }] } }, { tools: ["calculate"] });
  expect(model.requests[1]?.messages.at(-1)?.content).toMatch(/^Error: Unexpected end/);
});

test.each([
  ["replace", { replace: "[mail]" }, "I ask [mail] first."],
  ["retry", "retry", ""],
  ["block", "block", ""],
])("text beside a tool call is checked, and leaks by no stream: %s", async (_, onFail, left) => {
  model.script({ tokens: ["I ask ada@", "example.org first."], toolCall: call("now", {}) }, { tokens: ["Done."] });
  const guardrails = {
    output: [
      { kind: "pii", onFail },
      { kind: "minWords", words: 1, onFail: "retry" },
    ],
  };
  const streamMode = ["messages-tuple", "events", "values", "updates", "custom", "debug"] as unknown as ["values"];
  const { thread_id: threadId } = await client.threads.create();
  const stream = client.runs.stream(threadId, "pipeline", {
    ...payload(guardrails, { tools: ["now"] }),
    streamMode,
    streamSubgraphs: true,
  });
  const seen = JSON.stringify(await collect(stream));
  expect(seen).toContain("Done.");
  expect(seen).not.toContain("ada@");
  expect(seen).not.toContain("example.org");
  if (left) expect(seen).toContain(left);
  expect(model.requests).toHaveLength(2);
  expect(model.requests[1]?.messages.at(-2)).toMatchObject({ role: "assistant", content: left });
});

test("the price of a judge's model is checked under a budget of dollars", async () => {
  const guard = { kind: "judge", rule: "Be kind", model: "unpriced-judge" };
  const context = { budget: { dollars: 1 } };
  const wrong = (guardrails: object, more = {}) => expect(run(guardrails, { ...more, context })).rejects;
  await wrong({ input: [guard] }).toThrow('context.budget.dollars: the model \\"unpriced-judge\\" has no price');
  await wrong({ output: [guard] }).toThrow('context.budget.dollars: the model \\"unpriced-judge\\" has no price');
  await wrong({ tool: { now: [guard] } }, { tools: ["now"] }).toThrow('the model \\"unpriced-judge\\" has no price');
  model.respond((messages) => (messages.includes("keep this rule") ? { json: { passes: true, reason: "" } } : { tokens: ["Hi."] }));
  const prices = { "unpriced-judge": { input: 1, output: 1 } };
  expect(await run({ output: [guard] }, { context: { budget: { dollars: 1, prices } } })).toMatchObject({ status: "completed" });
});

test("an answer of too many words, or of another form, is asked for again", async () => {
  model.script({ tokens: ["one two three four"] }, { tokens: ["one two three"] });
  expect((await run({ output: [{ kind: "maxWords", words: 3, onFail: "retry" }] })).output).toBe("one two three");
  expect(sentTo(1)).toContain("It has 4 words, and 3 are the most.");
  const schema = { type: "object", properties: { n: { type: "number", maximum: 5 } }, required: ["n"] };
  model.script({ tokens: ['{"n": 7}'] }, { tokens: ['{"n": 4}'] });
  expect((await run({ output: [{ kind: "schema", schema, onFail: "retry" }] })).output).toBe('{"n": 4}');
  expect(sentTo(1)).toContain("It does not fit the schema");
  model.script({ tokens: ["none"] });
  const { error } = await run({ output: [{ kind: "schema", schema, onFail: "block" }] });
  expect(error).toContain('The guardrail "schema" refused the output: It does not fit the schema of the guard.');
});

test("the text of a task can be too long, and must fit a schema", async () => {
  const { error } = await run({ input: [{ kind: "maxWords", words: 3 }] }, { task: "one two three four" });
  expect(error).toContain('The guardrail "maxWords" refused the input');
  const schema = { type: "object", properties: { n: { type: "number" } }, required: ["n"] };
  const { error: second } = await run({ input: [{ kind: "schema", schema }] }, { task: "n is 7" });
  expect(second).toContain('The guardrail "schema" refused the input');
  expect(model.requests).toHaveLength(0);
});
