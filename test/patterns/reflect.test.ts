import { beforeEach, expect, test } from "vitest";
import { collect } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface Reflect {
  result: string;
  rounds: { draft: string; score: number; valid: boolean }[];
  ledger: { agent: string; attempts: number; outcome: string }[];
}

const draft = (text: string) => ({ json: { text } });
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

test("it returns the best draft, not merely the last, and stops after its rounds", async () => {
  model.script(draft("a"), critique(0.5), draft("b"), critique(0.8), draft("c"), critique(0.2));
  const { result, rounds } = await run({ task: "Write" });
  expect(result).toBe("b");
  expect(rounds).toHaveLength(3);
  model.script(draft("only"), critique(0.1));
  expect((await run({ task: "Write" }, { maxRounds: 1 })).result).toBe("only");
});

test("broken JSON and the wrong schema are sent back with what was wrong", async () => {
  model.script({ tokens: ["{not json"] }, { json: { text: 7 } }, draft("fine"), critique(1, true));
  const { result, ledger } = await run({ task: "Write" });
  expect(result).toBe("fine");
  expect(ledger[0]).toMatchObject({ attempts: 3, outcome: "success" });
  expect(String(model.requests[1]?.messages.at(-1)?.content)).toContain("It is not JSON");
  expect(String(model.requests[2]?.messages.at(-1)?.content)).toContain("It does not fit the schema");
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
  ["a model that never answers", [{ hang: true }], { timeoutSeconds: 0.3 }, "took too long: No answer within 0.3 s."],
  ["a model that never learns", [{ tokens: ["nonsense"] }], {}, "failed: It is not JSON"],
  ["a refused key", [{ status: 401 }], {}, "failed:"],
  ["an answer of a megabyte", [{ json: { text: "x".repeat(1_000_000) } }], {}, "It is longer than 200000 characters"],
])("%s ends the run with a clear error", async (_what, script, context, message) => {
  model.script(...script);
  await expect(run({ task: "Write" }, context)).rejects.toThrow(message);
});

test("a prompt that is too long is refused, not sent", async () => {
  await expect(run({ task: `Write ${"words ".repeat(600)}` })).rejects.toThrow("500 are the most");
  expect(model.requests).toHaveLength(0);
});

test("each step is told as it happens", async () => {
  model.script(draft("a"), critique(1, true));
  const events = await collect(client.runs.stream(null, "reflect", { input: { task: "Write" }, streamMode: ["custom"] }));
  expect(events.slice(1).map(({ data }) => data)).toMatchObject([
    { pattern: "reflect", type: "draft", round: 1, elapsedMs: expect.any(Number) },
    { pattern: "reflect", type: "critique", round: 1, valid: true, score: 1 },
  ]);
});

test("the JSON that its models speak is no token for those who follow", async () => {
  model.script(draft("fine"), critique(1, true));
  const events = await collect(
    client.runs.stream(null, "reflect", { input: { task: "Write" }, streamMode: ["messages-tuple", "updates"] }),
  );
  expect(new Set(events.map(({ event }) => event))).toEqual(new Set(["metadata", "updates"]));
});

test("a draft longer than a prompt may be is judged and revised all the same", async () => {
  model.script(draft("word ".repeat(600)), critique(0.4), draft("river ".repeat(600)), critique(0.9, true));
  const { rounds } = await run({ task: "Write at length" });
  expect(rounds).toHaveLength(2);
});
