import { beforeEach, expect, test } from "vitest";
import { collect } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface Reflect {
  result: string;
  valid: boolean;
  stopped: string | null;
  messages: { type: string; content: string }[];
  rounds: { draft: string; score: number; valid: boolean }[];
  ledger: { agent: string; attempts: number; outcome: string }[];
}

const draft = (text: string) => ({ tokens: [text] });
const critique = (score: number, valid = false) => ({
  json: { valid, score, problems: valid ? [] : [{ what: "It is dull.", fix: "Add a river." }] },
});
const run = (input: object, context = {}) =>
  client.runs.wait(null, "reflect", { input, context } as object) as Promise<unknown> as Promise<Reflect>;

test("it revises until the critic is content, and each revision knows the problems", async () => {
  model.script(draft("first"), critique(0.4), draft("second, with a river"), critique(0.9, true));
  const { result, rounds, ledger } = await run({ task: "Write on water", criteria: ["mentions a river"] });
  expect(result).toBe("second, with a river");
  expect(rounds.map(({ score }) => score)).toEqual([0.4, 0.9]);
  expect(ledger.map(({ agent }) => agent)).toEqual(["writer", "critic", "writer", "critic"]);
  expect(JSON.stringify(model.requests[2]?.messages)).toContain("Add a river.");
});

test("without a valid draft it returns the best one, marked as not valid, and stops after its rounds", async () => {
  model.script(draft("a"), critique(0.5), draft("b"), critique(0.8), draft("c"), critique(0.2));
  const { result, valid, stopped, rounds } = await run({ task: "Write" });
  expect({ result, valid, stopped }).toEqual({ result: "b", valid: false, stopped: null });
  expect(rounds).toHaveLength(3);
  model.script(draft("only"), critique(0.1));
  expect((await run({ task: "Write" }, { maxRounds: 1 })).result).toBe("only");
});

test("a valid draft is better than one with a higher score", async () => {
  model.script(draft("a"), critique(0.9), draft("b"), critique(0.7, true));
  expect(await run({ task: "Write" })).toMatchObject({ result: "b", valid: true });
});

test.each([
  ["writer_failed", [{ status: 400 }], ["writer", "critic", "writer"]],
  ["critic_failed", [draft("never judged"), { status: 400 }], ["writer", "critic", "writer", "critic"]],
])("a failure in a later round ends with the best draft so far: %s", async (reason, script, agents) => {
  model.script(draft("first"), critique(0.4), ...script);
  const { result, valid, stopped, rounds, ledger, messages } = await run({ task: "Write" });
  expect({ result, valid, stopped }).toEqual({ result: "first", valid: false, stopped: reason });
  expect(rounds).toHaveLength(1);
  expect(ledger.map(({ agent }) => agent)).toEqual(agents);
  expect(ledger.at(-1)).toMatchObject({ outcome: "failed" });
  expect(messages.map(({ content }) => content)).toEqual(["Write", "first"]);
});

test("broken JSON and the wrong schema are sent back with what was wrong", async () => {
  model.script(draft("fine"), { tokens: ["{not json"] }, { json: { score: 7 } }, critique(1, true));
  const { result, ledger } = await run({ task: "Write" });
  expect(result).toBe("fine");
  expect(ledger[1]).toMatchObject({ agent: "critic", attempts: 3, outcome: "success" });
  expect(String(model.requests[2]?.messages.at(-1)?.content)).toContain("It is not JSON");
  expect(String(model.requests[3]?.messages.at(-1)?.content)).toContain("It does not fit the schema");
});

test.each([
  ["a server error", { status: 500 }],
  ["too many requests", { status: 429, headers: { "retry-after": "1" } }],
  ["a cut connection", { cut: true }],
])("%s is tried again", async (_what, trouble) => {
  model.script(trouble, draft("after trouble"), critique(1, true));
  const started = Date.now();
  const { result, ledger } = await run({ task: "Write" });
  expect(result).toBe("after trouble");
  expect(ledger[0]?.attempts).toBe(2);
  if ("headers" in trouble) expect(Date.now() - started).toBeGreaterThanOrEqual(1_000);
});

test.each([
  ["a writer that never answers", [{ hang: true }], { timeoutSeconds: 0.3 }, "The writer took too long: No answer within 0.3 s."],
  ["a critic that never learns", [{ tokens: ["nonsense"] }], {}, "The critic failed: It is not JSON"],
  ["a refused key", [{ status: 401 }], {}, "The writer failed:"],
  ["a critique of a megabyte", [draft("fine"), { json: { text: "x".repeat(1_000_000) } }], {}, "It is longer than 200000 characters"],
])("%s ends the run with a clear error", async (_what, script, context, message) => {
  model.script(...script);
  await expect(run({ task: "Write" }, context)).rejects.toThrow(message);
});

test("instructions that are too long are refused, not sent", async () => {
  await expect(run({ task: "Write", criteria: ["words ".repeat(600)] })).rejects.toThrow("500 are the most (limits.promptWords)");
  expect(model.requests).toHaveLength(0);
});

test("a long task is never refused", async () => {
  model.script(draft("fine"), critique(1, true));
  expect(await run({ task: `Write ${"words ".repeat(5_000)}` })).toMatchObject({ result: "fine" });
});

test("a material that is too long is cut, and the critic is told", async () => {
  model.script(draft("x".repeat(1_000)), critique(1, true));
  await run({ task: "Write" }, { limits: { materialTokens: 100 } });
  expect(JSON.stringify(model.requests[1]?.messages)).toContain("[Cut here: 400 of 1000 characters are shown.]");
});

test("each step is told as it happens", async () => {
  model.script(draft("a"), critique(1, true));
  const events = await collect(client.runs.stream(null, "reflect", { input: { task: "Write" }, streamMode: ["custom"] }));
  expect(events.slice(1).map(({ data }) => data)).toMatchObject([
    { pattern: "reflect", type: "draft", round: 1, elapsedMs: expect.any(Number) },
    { pattern: "reflect", type: "critique", round: 1, valid: true, score: 1 },
  ]);
});

test("messages go in and come out: followers see the final draft, and neither the drafts before it nor the critiques", async () => {
  model.script(draft("first"), critique(0.4), draft("second"), critique(0.9, true));
  const input = { messages: [{ role: "user", content: "Write on water" }] };
  const events = await collect(client.runs.stream(null, "reflect", { input, streamMode: ["messages-tuple", "values"] }));
  const told = events.filter(({ event }) => event === "messages").map(({ data }) => (data as unknown as [{ content: string }])[0].content);
  expect(told).toEqual(["second"]);
  const { messages } = Object(events.at(-1)?.data) as Reflect;
  expect(messages).toMatchObject([
    { type: "human", content: "Write on water" },
    { type: "ai", content: "second" },
  ]);
  expect(JSON.stringify(model.requests[0]?.messages)).toContain("Task: Write on water");
});

test("a draft longer than a prompt may be is judged and revised all the same", async () => {
  model.script(draft("word ".repeat(600)), critique(0.4), draft("river ".repeat(600)), critique(0.9, true));
  const { rounds } = await run({ task: "Write at length" });
  expect(rounds).toHaveLength(2);
});
