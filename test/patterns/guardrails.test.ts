import { beforeEach, expect, test } from "vitest";
import { collect } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface Values {
  status: string;
  output: unknown;
  error: string | null;
  ledger: { agent: string; outcome: string; error?: string }[];
  messages: { type: string; content: string }[];
  __interrupt__?: { value: Record<string, unknown> }[];
}

/** Returns a run of one stage whose agent has these guardrails. */
const payload = (guardrails: object, { task = "Say it", ...agent }: Record<string, unknown> = {}) => ({
  input: { task, stages: [{ name: "one", do: { agent: "guarded" } }] },
  context: { agents: [{ name: "guarded", role: "a writer", guardrails, ...agent }] },
});
const run = (guardrails: object, more: object = {}, threadId: string | null = null) =>
  client.runs.wait(threadId as string, "pipeline", payload(guardrails, more as never)) as Promise<unknown> as Promise<Values>;
const words = (count: number) => Array(count).fill("word").join(" ");

test("personal data in the input ends the work before the first call", async () => {
  const { status, error, ledger } = await run({ input: [{ kind: "pii" }] }, { task: "Write to ada@example.org" });
  expect(status).toBe("stopped");
  expect(error).toContain('The guardrail "pii" refused the input: It has personal data.');
  expect(ledger).toMatchObject([{ agent: "guarded", outcome: "failed", error: expect.stringContaining("pii") }]);
  expect(model.requests).toHaveLength(0);
});

test("an input can be replaced in part, and a secret is found", async () => {
  model.script({ tokens: ["Done."] });
  const key = `ghp_${"wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx"}`;
  const input = [{ kind: "pii", onFail: { replace: "[mail]" } }];
  await run({ input }, { task: `Write to ada@example.org soon` });
  expect(JSON.stringify(model.requests[0]?.messages)).toContain("Write to [mail] soon");
  const { error } = await run({ input: [{ kind: "secrets" }] }, { task: `the token is ${key}` });
  expect(error).toContain("It has secrets.");
  expect(error).not.toContain(key);
});

test("an answer that is too short three times is asked for again, with the reason", async () => {
  model.script({ tokens: [words(10)] }, { tokens: [words(20)] }, { tokens: [words(30)] }, { tokens: [words(100)] });
  const { status, output } = await run({ output: [{ kind: "minWords", words: 100, onFail: "retry" }] });
  expect({ status, output }).toEqual({ status: "completed", output: words(100) });
  expect(model.requests).toHaveLength(4);
  expect(JSON.stringify(model.requests[3]?.messages)).toContain("It has 30 words, and 100 are the fewest.");
});

test("an answer that never passes fails the work after the retries, once", async () => {
  model.script({ tokens: [words(10)] });
  const { status, error, ledger } = await run({ output: [{ kind: "minWords", words: 100, onFail: "retry" }], maxRetries: 2 });
  expect(status).toBe("stopped");
  expect(error).toContain("It has 10 words, and 100 are the fewest.");
  expect(model.requests).toHaveLength(3);
  expect(ledger).toMatchObject([{ outcome: "failed" }]);
});

const output = { type: "object", properties: { priority: { type: "string" } }, required: ["priority"] };

test("a value that is not in the list is asked for again, blocked or replaced", async () => {
  const allow = (onFail: unknown) => ({ output: [{ kind: "allow", path: "priority", values: ["low", "high"], onFail }] });
  model.script({ json: { priority: "urgent" } }, { json: { priority: "high" } });
  expect((await run(allow("retry"), { output })).output).toEqual({ priority: "high" });
  expect(JSON.stringify(model.requests[1]?.messages)).toContain("is not one of low, high");
  model.script({ json: { priority: "urgent" } });
  expect((await run(allow("block"), { output })).error).toContain(
    'The value of \\"priority\\" is not one of low, high.'.replaceAll("\\", ""),
  );
  expect(model.requests).toHaveLength(1);
  expect((await run(allow({ replace: "high" }), { output })).output).toEqual({ priority: "high" });
});

test("a guard that fails itself blocks the answer", async () => {
  model.script({ tokens: [`${"a".repeat(40)}!`] });
  const { error } = await run({ output: [{ kind: "regex", forbid: "^(a+)+$", onFail: "retry" }] });
  expect(error).toMatch(/The guardrail "regex" refused the output: The check failed: .*timed out/);
  model.respond((messages) => (messages.includes("keep this rule") ? { status: 400 } : { tokens: ["Hello."] }));
  expect((await run({ output: [{ kind: "judge", rule: "Be kind", onFail: "retry" }] })).error).toContain("The check failed");
});

test("a judge sends an answer back, and its calls are in the ledger", async () => {
  const answers = ["Ours is the best!", "Ours costs 5."];
  model.respond((messages) => {
    if (!messages.includes("keep this rule")) return { tokens: [answers[messages.includes("cannot be used") ? 1 : 0] ?? ""] };
    return { json: messages.includes("best") ? { passes: false, reason: "It praises." } : { passes: true, reason: "" } };
  });
  const { output, ledger } = await run({ output: [{ kind: "judge", rule: "Content must be objective", onFail: "retry" }] });
  expect(output).toBe("Ours costs 5.");
  expect(ledger.map(({ agent }) => agent).toSorted()).toEqual(["guarded", "guarded guard", "guarded guard"]);
});

test.each([
  ["messages-tuple", []],
  ["events", []],
  ["messages-tuple", ["now"]],
  ["events", ["now"]],
])("a replaced answer does not leak: stream mode %s, tools %j", async (streamMode, tools) => {
  model.script({ tokens: ["Ask ada@", "example.org", " now."] });
  const guardrails = { output: [{ kind: "pii", onFail: { replace: "[mail]" } }] };
  const modes = [streamMode, "values", "updates", "custom", "debug"] as unknown as ["values"];
  const events = await collect(client.runs.stream(null, "pipeline", { ...payload(guardrails, { tools }), streamMode: modes }));
  const seen = JSON.stringify(events);
  expect(seen).toContain("Ask [mail] now.");
  expect(seen).not.toContain("ada@");
  expect(seen).not.toContain("example.org");
  expect(events.map(({ data }) => data)).toContainEqual(
    expect.objectContaining({ type: "guardrail", agent: "guarded", place: "output", guard: "pii", action: "replace" }),
  );
});

const call = (name: string, args: unknown) => ({ toolCall: { id: `call_${crypto.randomUUID().slice(0, 8)}`, name, args } });

test("a refusal of a tool guard is an observation for the model, and a result can be replaced", async () => {
  model.script(call("calculate", { expression: "6 * 7" }), call("calculate", { expression: "1 + 1" }), { tokens: ["So."] });
  const calculate = [
    { kind: "regex", forbid: "\\*", on: "arguments" },
    { kind: "regex", forbid: "2", on: "result", onFail: { replace: "two" } },
  ];
  const { output } = await run({ tool: { calculate } }, { tools: ["calculate"] });
  expect(output).toBe("So.");
  expect(model.requests[1]?.messages.at(-1)?.content).toContain('The guardrail "regex" refused the calculate');
  expect(model.requests[2]?.messages.at(-1)?.content).toBe("two");
});

test.each([[true], [false]])("a person decides about an input: %s, with and without tools", async (approved) => {
  for (const tools of [[], ["now"]]) {
    model.script({ tokens: ["Done."] });
    const { thread_id: threadId } = await client.threads.create();
    const asked = payload({ input: [{ kind: "pii", onFail: "ask" }] }, { task: "Write to ada@example.org", tools });
    const { __interrupt__: questions } = (await client.runs.wait(threadId, "pipeline", asked)) as unknown as Values;
    expect(questions?.[0]?.value).toMatchObject({ type: "approval", details: { guard: "pii" } });
    expect(model.requests).toHaveLength(0);
    const { context } = asked;
    const ended = (await client.runs.wait(threadId, "pipeline", { command: { resume: { approved } }, context })) as unknown as Values;
    expect(ended.status).toBe(approved ? "completed" : "stopped");
  }
});

test.each([
  [{ inputs: [] }, /guardrails.*inputs: unknown key; did you mean .*input/],
  [{ input: [{ kind: "pii", type: ["email"] }] }, /guardrails\.input\[0\]\.type: unknown key; did you mean/],
  [{ input: [{ kind: "pi" }] }, /guardrails\.input\[0\]\.kind/],
  [{ input: [{ kind: "pii", onFail: "retry" }] }, /guardrails\.input\[0\]\.onFail: here a guard cannot retry/],
  [{ output: [{ kind: "pii", onFail: "ask" }] }, /guardrails\.output\[0\]\.onFail: here a guard cannot ask/],
  [{ output: [{ kind: "pii", onFail: "blok" }] }, /guardrails\.output\[0\]\.onFail: .*expected one of/],
  [{ output: [{ kind: "regex", forbid: "(" }] }, /guardrails\.output\[0\]\.forbid: this is not a regular expression/],
  [{ output: [{ kind: "regex" }] }, /guardrails\.output\[0\]: give one of forbid and require/],
  [{ input: [{ kind: "judge", rule: "r", onFail: "ask" }] }, /guardrails\.input\[0\]\.onFail: a judge cannot ask/],
  [{ tool: { calculate: [{ kind: "pii" }] } }, /guardrails\.tool\.calculate: the agent has no tool/],
  [{ maxRetries: 11 }, /guardrails\.maxRetries/],
])("a wrong guardrail is refused with its path: %j", async (guardrails, message) => {
  await expect(run(guardrails)).rejects.toThrow(/HTTP 422/);
  await expect(run(guardrails)).rejects.toThrow(message);
});
