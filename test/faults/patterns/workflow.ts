import type { ScriptedReply } from "../../../graphs/testing/scripted-model.ts";
import { type Broken, stage } from "./row.ts";

export const workflow: Broken[] = [
  {
    graphId: "pipeline",
    input: { task: "Write", stages: ["one", "two", "three", "four", "five"].map(stage) },
    at: "do four",
    answers: ["one", "two", "three", "four", "five"].map((name) => [`do ${name}`, { tokens: [`said ${name}`] }]),
    asked: { "do one": 1, "do two": 1, "do three": 1, "do four": 2, "do five": 1 },
    outcome: { status: "completed", output: "said five" },
    refused: { status: "stopped", stoppedAt: "one" },
  },
  {
    graphId: "pipeline",
    input: {
      task: "Write",
      stages: [
        stage("one"),
        { branch: { if: { ask: "Is it long?" }, then: [stage("two"), stage("three")], else: [stage("four")] } },
        stage("five"),
      ],
    },
    at: "do three", // inside an arm, after a question to the judge
    answers: [
      ["Is it long?", { json: { holds: true, reason: "It is." } }],
      ...["one", "two", "three", "four", "five"].map((name): [string, ScriptedReply] => [`do ${name}`, { tokens: [`said ${name}`] }]),
    ],
    asked: { "do one": 1, "Is it long?": 1, "do two": 1, "do three": 2, "do five": 1 },
    outcome: { status: "completed", output: "said five", path: [{ step: "branch 1", holds: true }] },
    refused: { status: "stopped", stoppedAt: "one" },
  },
  {
    graphId: "saga",
    input: {
      task: "Order",
      saga: ["one", "two", "three"].map((name) => ({ name, execute: { task: `do ${name}` }, compensate: { task: `undo ${name}` } })),
    },
    at: "undo two", // while the saga is being undone, because its third step has failed
    answers: [
      ["undo two", { tokens: ["undone"] }],
      ["undo one", { tokens: ["undone"] }],
      ["do three", { status: 400 }],
      ["do two", { tokens: ["done"] }],
      ["do one", { tokens: ["done"] }],
    ],
    asked: { "do one": 1, "do two": 1, "do three": 1, "undo two": 2, "undo one": 1 },
    outcome: { status: "compensated", failedAt: "three", compensations: [{ step: "two" }, { step: "one" }] },
    refused: { status: "compensated", failedAt: "one" },
  },
  {
    graphId: "work-engine",
    input: {
      task: "Build",
      stages: ["one", "two"].map((goal) => ({ capability: goal === "one" ? "plan" : "write", goal: `reach ${goal}` })),
    },
    at: "Its goal: reach two", // during the second gate
    answers: [
      ...["one", "two"].map((goal): [string, ScriptedReply] => [
        `Its goal: reach ${goal}`,
        { json: { passed: true, quality: 1, reasons: [], findings: [] } },
      ]),
      ...["one", "two"].map((goal): [string, ScriptedReply] => [`stage: reach ${goal}`, { tokens: [`made ${goal}`] }]),
    ],
    asked: { "stage: reach one": 1, "Its goal: reach one": 1, "stage: reach two": 1, "Its goal: reach two": 2 },
    outcome: { status: "completed", output: "made two" },
    refused: { status: "stopped" },
  },
  {
    graphId: "map-reduce",
    input: { task: "a\nb\nc", map: { task: "map them" }, reduce: { task: "join them" } },
    context: { fanIn: 2, onFailures: "partial" },
    at: "joined", // between the two levels of the tree
    answers: [
      ["joined", { tokens: ["the end"] }],
      ["join them", { tokens: ["joined"] }],
      ["map them", { tokens: ["mapped"] }],
    ],
    asked: { "map them": 3, "join them": 2, joined: 2 },
    outcome: { result: "the end", levels: 2, gaps: [] },
    refused: { result: null, gaps: [{ partition: 0 }, { partition: 1 }, { partition: 2 }] },
  },
  {
    graphId: "fan-out",
    input: { task: "Look", tasks: ["one", "two"].map(stage) },
    context: { limits: { parallel: 1 }, onFailures: "partial" },
    at: "do two",
    answers: [
      ["from the results", { tokens: ["one text"] }],
      ["do two", { tokens: ["said two"] }],
      ["do one", { tokens: ["said one"] }],
    ],
    asked: { "do one": 1, "do two": 2, "from the results": 1 },
    outcome: { answer: "one text", missing: [] },
  },
];
