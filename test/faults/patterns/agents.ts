import { expect } from "vitest";
import type { Broken } from "./row.ts";

const report = { json: { executiveSummary: "All seen.", findingsByCategory: {}, recommendations: [], confidence: 1, gaps: [] } };

export const agents: Broken[] = [
  {
    graphId: "react",
    input: { messages: [{ role: "user", content: "What is 2 + 3?" }] },
    at: "tool_call_id",
    answers: [
      ["tool_call_id", { tokens: ["5"] }],
      ["2 + 3", { toolCall: { id: "call_1", name: "calculate", args: { expression: "2 + 3" } } }],
    ],
    asked: { "2 + 3": 1, tool_call_id: 2 },
    outcome: { steps: [{ observation: "5" }], stopped: null },
  },
  {
    graphId: "reflect",
    input: { task: "Write" },
    at: "Judge this draft",
    answers: [
      ["Judge this draft", { json: { valid: true, score: 1, problems: [] } }],
      ["Task: Write", { tokens: ["A draft."] }],
    ],
    asked: { "Task: Write": 1, "Judge this draft": 2 },
    outcome: { result: "A draft.", rounds: [{ score: 1 }] },
  },
  {
    graphId: "aggregator",
    input: { results: [{ label: "a", text: "Rivers bend." }], strategies: ["compare", "synthesize"] },
    at: "Write the report",
    answers: [["Write the report", report]],
    asked: { "Write the report": 2 },
    outcome: { report: { synthesis: { executiveSummary: "All seen." } } },
  },
  {
    graphId: "chooser",
    input: { task: "Add 2 and 3", run: true },
    at: "Add 2 and 3", // in the pattern that the chooser has started
    answers: [
      ["Find facts about the task", { json: { found: [{ fact: "minutes", value: 3, evidence: "Add" }] } }],
      ["Add 2 and 3", { tokens: ["5"] }],
    ],
    asked: { "Find facts about the task": 1, "Add 2 and 3": 2 },
    outcome: { choice: { pattern: "react" }, result: "5" },
    refused: { choice: { pattern: "pipeline" }, result: expect.stringContaining("400") }, // without facts, the rules choose the pattern
  },
];
