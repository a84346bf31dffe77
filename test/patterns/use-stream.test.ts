import { useStream } from "@langchain/react";
import { expect, test } from "vitest";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { mount } from "../react-page.ts";
import { eventually } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { model, urls } = await startPatterns();

/** The answers of the model for each pattern, by words of the request. The last texts are the answers that a chat client shows. */
const patterns: [graphId: string, answers: [words: string, reply: ScriptedReply][], ...answer: string[]][] = [
  ["react", [["", { tokens: ["Rivers ", "bend."] }]], "Rivers bend."],
  ["chat", [["", { tokens: ["Rivers ", "bend."] }]], "Rivers bend."],
  [
    "reflect",
    [
      ["Judge this draft", { json: { valid: true, score: 1, problems: [] } }],
      ["", { tokens: ["Rivers bend."] }],
    ],
    "Rivers bend.",
  ],
  [
    "plan-execute",
    [
      ["Plan how to do this", { json: { steps: [{ description: "look" }] } }],
      ["Answer the task", { tokens: ["Rivers ", "bend."] }],
      ["", { tokens: ["seen"] }],
    ],
    "Rivers bend.",
  ],
  [
    "supervisor",
    [
      ["Split this task", { json: { steps: [{ id: "a", agent: "security", task: "look", dependsOn: [] }] } }],
      ["Review the work", { json: { decision: "finish", reason: "done" } }],
      ["Write the report", { tokens: ["Rivers ", "bend."] }],
      ["", { json: { summary: "seen", findings: [] } }],
    ],
    "Rivers bend.",
  ],
  [
    "hierarchy",
    [
      ["Turn this mission", { json: { objectives: [{ id: "a", squad: "security_testing", goal: "look", done: "seen", dependsOn: [] }] } }],
      ["Decide what follows", { json: { decision: "finish", reason: "done" } }],
      ["Report to the commander", { json: { done: true, summary: "seen" } }],
      ["Split this task", { json: { steps: [{ id: "a", agent: "penetration_tester", task: "look", dependsOn: [] }] } }],
      ["Review the work", { json: { decision: "finish", reason: "done" } }],
      ["Write the report", { tokens: ["Rivers ", "bend."] }],
      ["", { json: { summary: "seen", findings: [] } }],
    ],
    "Rivers bend.",
  ],
  [
    "crew",
    [
      ["Write the answer", { tokens: ["Rivers ", "bend."] }],
      ["", { tokens: ["some points"] }],
    ],
    "Rivers bend.",
  ],
  [
    "fan-out",
    [
      ["from the results", { tokens: ["Rivers ", "bend."] }],
      ["", { tokens: ["a view"] }],
    ],
    "Rivers bend.",
  ],
  [
    "map-reduce",
    [
      ["Bring these summaries", { tokens: ["Rivers ", "bend."] }],
      ["", { tokens: ["a summary"] }],
    ],
    "Rivers bend.",
  ],
  [
    "work-engine",
    [
      ["Judge the output", { json: { passed: true, quality: 1, reasons: [], findings: [] } }],
      ["write the final version", { tokens: ["Rivers ", "bend."] }],
      ["", { tokens: ["a plan"] }],
    ],
    "Rivers bend.",
  ],
  [
    "saga",
    [
      ["would confirm", { tokens: ["Rivers ", "bend."] }],
      ["", { tokens: ["prepared"] }],
    ],
    "Rivers bend.",
  ],
  [
    "pipeline",
    [
      ["Improve the draft", { tokens: ["Rivers ", "bend."] }],
      ["", { tokens: ["a draft"] }],
    ],
    "Rivers bend.",
  ],
  [
    "group-chat",
    [
      ["You are a reviewer", { tokens: ["APP", "ROVED"] }],
      ["You are an executor", { tokens: ["Rivers bend."] }],
      ["", { tokens: ["One line."] }],
    ],
    ...["One line.", "Rivers bend.", "APPROVED"],
  ],
  ["swarm", [["", { tokens: ["Rivers ", "bend."] }]], "Rivers bend."],
  [
    "chooser",
    [["Find facts about the task", { json: { found: [] } }]],
    "Use `pipeline`. No fact calls for another pattern, so the work starts as a sequence of stages.\n\nNext best: `supervisor` and `react`.",
  ],
  ...["panel", "debate"].map((graphId): [string, [string, ScriptedReply][], string] => [
    graphId,
    [
      ["Write the decision on", { tokens: ["Rivers ", "bend."] }],
      ["Group these positions", { json: { groups: [{ position: "They bend.", labels: ["A", "B", "C"] }] } }],
      ["", { json: { position: "They bend.", confidence: 1 } }],
    ],
    "Rivers bend.",
  ]),
  [
    "team",
    [
      ["How much do the members", { json: { score: 1, reason: "alone" } }],
      ["Split this into tasks", { json: { tasks: [{ id: "a", subject: "look" }] } }],
      ["Answer from the results", { tokens: ["Rivers ", "bend."] }],
      ["", { tokens: ["seen"] }],
    ],
    "Rivers bend.",
  ],
  [
    "blackboard",
    [
      ["List what the task is about", { json: { entities: ["rivers"] } }],
      ["Write the answer", { tokens: ["Rivers ", "bend."] }],
      ["", { tokens: ["text"] }],
    ],
    "Rivers bend.",
  ],
  [
    "flow",
    [
      ["Is this draft good", { json: { event: "good", reason: "r" } }],
      ["Copy this draft", { tokens: ["Rivers ", "bend."] }],
      ["", { tokens: ["text"] }],
    ],
    "Rivers bend.",
  ],
  ["bus", [["", { json: { send: [{ to: "user", type: "COMPLETE", payload: "Rivers bend.", replyTo: "" }], done: true } }]], "Rivers bend."],
  [
    "mesh",
    [
      ["Carry out your intention", { tokens: ["Rivers ", "bend."] }],
      ["These are the intentions", { json: { objections: [] } }],
      ["", { json: { shouldAct: true, intention: "write", touches: ["answer"] } }],
    ],
    "Rivers bend.",
  ],
  [
    "state-machine",
    [
      ["carried out as it is?", { json: { valid: true, reason: "r" } }],
      ["Tell the customer", { tokens: ["Rivers ", "bend."] }],
      ["", { tokens: ["a result"] }],
    ],
    "Rivers bend.",
  ],
  [
    "choreography",
    [
      ["Find the most serious", { json: { event: "NOTHING_FOUND", payload: { issue: "none", place: "nowhere" } } }],
      ["Report what was found", { tokens: ["Rivers ", "bend."] }],
    ],
    "Rivers bend.",
  ],
];

test.each(patterns)("a chat client drives %s by messages, and shows its answer", async (graphId, answers, ...shown) => {
  model.respond((messages) => answers.find(([words]) => messages.includes(words))?.[1] ?? { status: 500 });
  const page = mount(() => useStream({ apiUrl: urls[0] ?? "", assistantId: graphId, transport: "sse" }));
  await eventually(() => page.now.isThreadLoading).toBe(false);
  void page.now.submit({ messages: [{ type: "human", content: "Why do rivers bend?" }] });
  await eventually(() => page.now.messages.at(-1)?.text).toBe(shown.at(-1));
  await eventually(() => page.now.isLoading).toBe(false);
  expect(page.now.error).toBeUndefined();
  expect(page.now.messages.map(({ type, text }) => [type, text])).toEqual([
    ["human", "Why do rivers bend?"],
    ...shown.map((text) => ["ai", text]),
  ]);
  const reloaded = mount(() =>
    useStream({ apiUrl: urls[0] ?? "", assistantId: graphId, transport: "sse", threadId: page.now.threadId ?? "" }),
  );
  await eventually(() => reloaded.now.messages.map(({ id }) => id)).toEqual(page.now.messages.map(({ id }) => id));
});

test("a chat client shows what needs no model, and what a message names", async () => {
  const page = mount(() => useStream({ apiUrl: urls[0] ?? "", assistantId: "scenario", transport: "sse" }));
  await eventually(() => page.now.isThreadLoading).toBe(false);
  void page.now.submit({ messages: [{ type: "human", content: "Run data-transformation" }] });
  await eventually(() => page.now.messages.at(-1)?.type).toBe("ai");
  expect(page.now.messages.at(-1)?.text).not.toBe("");
});
