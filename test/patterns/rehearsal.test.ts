import { expect, test } from "vitest";
import { startTestService } from "../service.ts";

// The shell may have an API key, which the tests must not use.
delete process.env.OPENAI_API_KEY;
delete process.env.OPENAI_BASE_URL;

const { client } = await startTestService({ ENSEMBLE_CONFIG: "langgraph.json" });

interface Ledger {
  ledger: { model: string; outcome: string; dollars: number; inputTokens: number }[];
}

const task = "Compare sailing and rowing on the river";

/** The input of each pattern, and the output that it must have. */
test.each([
  [
    "react",
    { messages: [{ role: "user", content: "What is 17 * 3?" }] },
    { stopped: null, steps: [{ action: "calculate", observation: "51" }] },
  ],
  ["reflect", { task }, { result: expect.stringContaining("river") }],
  ["fan-out", { task }, { answer: expect.stringMatching(/./), missing: [] }],
  ["map-reduce", { task }, { result: expect.stringMatching(/./), gaps: [] }],
  ["saga", { task }, { status: "completed", output: expect.stringMatching(/./) }],
  ["pipeline", { task }, { status: "completed", output: expect.stringMatching(/./) }],
  ["choreography", { task }, { status: "quiescent", output: expect.stringMatching(/./) }],
  ["bus", { task }, { status: expect.stringMatching(/answered|quiescent|limit/) }],
  ["mesh", { task }, { status: expect.stringMatching(/done|quiescent|limit/) }],
  ["state-machine", { task }, { status: "final", output: expect.stringMatching(/./) }],
  ["blackboard", { task }, { status: "solved", output: expect.stringMatching(/./) }],
  ["flow", { task }, { status: "completed", output: expect.stringMatching(/./) }],
  ["plan-execute", { task }, { answer: expect.stringMatching(/./) }],
  ["group-chat", { task }, { stopReason: "maxMessages 12", turns: 12 }],
  ["swarm", { task }, { stopReason: "answered", result: expect.stringContaining("river") }],
  ["panel", { question: task }, { result: expect.stringMatching(/./), decision: expect.stringMatching(/./) }],
  ["debate", { task, ballot: { options: ["sailing", "rowing"] } }, { result: expect.stringMatching(/./), decision: "sailing" }],
  ["team", { task }, { result: expect.stringMatching(/./), stopped: null }],
  ["crew", { task }, { status: "completed", raw: expect.stringMatching(/./) }],
  ["hierarchy", { task }, { report: { executiveSummary: expect.stringMatching(/./) } }],
  ["supervisor", { task }, { report: { executiveSummary: expect.stringMatching(/./) } }],
  [
    "scenario",
    { skill: "echo-agent", scenarios: [{ name: "few", inputSize: 3 }] },
    { progress: { few: { status: "complete", items: 3 } } },
  ],
])(
  "%s runs with nothing but a task on a machine without a key; a rehearsal is named and costs nothing",
  async (graphId, input, outcome) => {
    const result = (await client.runs.wait(null, graphId, { input })) as unknown as Ledger;
    expect(result).toMatchObject(outcome);
    expect(result.ledger.length).toBeGreaterThan(0);
    for (const entry of result.ledger) expect(entry).toMatchObject({ model: "rehearsal", outcome: "success", dollars: 0 });
    expect(result.ledger.every(({ inputTokens }) => inputTokens > 0)).toBe(true);
  },
);

const presets = (await client.assistants.search({ metadata: { created_by: "system" }, limit: 100 })).filter(
  ({ metadata }) => metadata?.preset,
);

test.each(presets.map(({ metadata }) => ({ name: String(metadata?.preset), example: metadata?.example as Record<string, unknown> })))(
  "the preset $name runs with its example, up to a question to a person at most",
  async ({ name, example }) => {
    const result = (await client.runs.wait(null, name, { input: example })) as { ledger?: object[]; __interrupt__?: object[] };
    expect(result).not.toHaveProperty("__error__");
    const { ledger = [], __interrupt__: questions = [] } = result;
    expect(ledger.length + questions.length).toBeGreaterThan(0);
    for (const entry of ledger) expect(entry).toMatchObject({ model: "rehearsal", outcome: "success" });
  },
);
