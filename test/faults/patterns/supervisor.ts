import { expect } from "vitest";
import type { ScriptedReply } from "../../../graphs/testing/scripted-model.ts";
import type { Broken } from "./row.ts";

const step = (id: string, agent: string, ...dependsOn: string[]) => ({ id, agent, task: `do ${id}`, dependsOn });
const work = { json: { summary: "seen", findings: [] } };
const named = (one: object, index: number) => ({ ...one, task: `step ${index === 0 ? "one" : "two"}` });
const objective = (squad: string) => ({ id: squad, squad, goal: `reach ${squad}`, done: "seen", dependsOn: [] });
const descriptions = ["find a", "find b", "add them"];

export const supervisor: Broken[] = [
  {
    graphId: "plan-execute",
    input: { task: "Add a and b" },
    at: "Do only this step: add them",
    answers: [
      ["Plan how to do this", { json: { steps: descriptions.map((description) => ({ description })) } }],
      ["Reconsider the plan", { json: { decision: "continue", reason: "fine", steps: [] } }],
      ["Answer the task", { tokens: ["3"] }],
      ...descriptions.map((description): [string, ScriptedReply] => [`Do only this step: ${description}`, { tokens: ["done"] }]),
    ],
    asked: {
      "Plan how to do this": 1,
      "Do only this step: find a": 1,
      "Do only this step: find b": 1,
      "Do only this step: add them": 2,
      "Reconsider the plan": 2,
      "Answer the task": 1,
    },
    outcome: { answer: "3", plan: descriptions.map(() => ({ status: "done" })) },
  },
  {
    graphId: "supervisor",
    input: { task: "Review", input: "code" },
    at: "Task: do three", // during the second wave
    answers: [
      ["Split this task", { json: { steps: [step("one", "security"), step("two", "quality"), step("three", "architecture", "one")] } }],
      ["Review the work", { json: { decision: "continue", reason: "fine" } }],
      ["Write the report", { tokens: ["All ", "seen."] }],
      ...["one", "two", "three"].map((id): [string, ScriptedReply] => [`Task: do ${id}`, work]),
    ],
    asked: {
      "Split this task": 1,
      "Task: do one": 1,
      "Task: do two": 1,
      "Task: do three": 2,
      "Review the work": 1, // there is no review between waves that succeed
      "Write the report": 1,
    },
    outcome: { report: { executiveSummary: "All seen." }, results: { three: { status: "success" } } },
  },
  {
    graphId: "hierarchy",
    input: { mission: "Test", input: "code" },
    at: "Task: do two", // during the second wave of a squad, after the other squad has reported
    stored: { channel: "reports", count: 1 },
    answers: [
      ["Turn this mission", { json: { objectives: ["functional_testing", "security_testing"].map(objective) } }],
      ["Decide what follows", { json: { decision: "continue", reason: "fine" } }],
      ["Report to the commander on the objective: reach functional", { json: { done: true, summary: "reached" } }],
      ["Report to the commander on the objective: reach security", { json: { done: true, summary: "reached" } }],
      ["for the team: reach functional", { json: { steps: [step("one", "ui_tester"), step("two", "api_tester", "one")] } }],
      ["for the team: reach security", { json: { steps: [step("three", "penetration_tester")] } }],
      ["Review the work", { json: { decision: "continue", reason: "fine" } }],
      ["Write the report", { tokens: ["All ", "seen."] }],
      ...["one", "two", "three"].map((id): [string, ScriptedReply] => [`Task: do ${id}`, work]),
    ],
    asked: {
      "Turn this mission": 1,
      "for the team: reach functional": 1,
      "for the team: reach security": 1,
      "Task: do one": 1,
      "Task: do two": 2,
      "Task: do three": 1,
      "Review the work": 2,
      "Report to the commander on the objective: reach functional": 1,
      "Report to the commander on the objective: reach security": 1,
      "Decide what follows": 1,
      "Write the report": 1,
    },
    outcome: { report: { executiveSummary: "All seen." }, reports: { functional_testing: { status: "done" } } },
  },
  {
    graphId: "crew",
    input: {
      agents: { worker: { role: "a worker", goal: "Work" } },
      tasks: Object.fromEntries(
        ["one", "two", "three"].map((name) => [name, { description: `do ${name}.`, expected_output: "words", agent: "worker" }]),
      ),
    },
    at: "do three.",
    answers: ["three", "two", "one"].map((name) => [`do ${name}.`, { tokens: [`said ${name}`] }]),
    asked: { "do one.": 1, "do two.": 1, "do three.": 2 },
    outcome: { status: "completed", raw: "said three" },
    refused: { status: "stopped", error: expect.stringContaining('"one" failed') },
  },
  {
    graphId: "crew",
    input: {
      agents: { worker: { role: "a worker", goal: "Work" } },
      tasks: { one: { description: "do one.", expected_output: "words" } },
      process: "hierarchical",
      manager_llm: "gpt-5",
    },
    at: "Task: step two", // during the second wave of the manager
    answers: [
      ["Split this task", { json: { steps: [step("a", "worker"), step("b", "worker", "a")].map(named) } }],
      ["Review the work", { json: { decision: "finish", reason: "done" } }],
      ["Write the report", { tokens: ["All ", "seen."] }],
      ["Task: step one", work],
      ["Task: step two", work],
    ],
    asked: { "Split this task": 1, "Task: step one": 1, "Task: step two": 2, "Review the work": 1, "Write the report": 1 },
    outcome: { status: "completed", raw: "All seen." },
    refused: { status: "stopped", error: expect.stringContaining("400") },
  },
];
