import { expect } from "vitest";
import type { ScriptedReply } from "../../../graphs/testing/scripted-model.ts";
import { type Broken, stage } from "./row.ts";

const source = (name: string, reads: string, writes: string) => ({ ...stage(name), reads: [reads], writes: [writes] });
const listener = (name: string, on: string) => ({ ...stage(name), on, priority: name === "early" ? 1 : 0 });
const sends = (to: string, payload: string, replyTo = "") => ({ to, type: "COMPLETE", payload, replyTo });
/** The beginning of the request of a mesh's agent in one part of a round. */
const inMesh = (part: string) => (role: string) => `${role}."},{"role":"user","content":"Task: ${part}`;
const looksAs = inMesh("Look at the board");
const objectsAs = inMesh("These are the intentions");
const actsAs = inMesh("Carry out your intention");

export const choreography: Broken[] = [
  {
    graphId: "choreography",
    input: { task: "Check" },
    context: {
      listeners: [
        listener("early", "START"),
        listener("late", "START"), // the process is killed after `early` has ended and before its event is published
        { ...listener("join", "unused"), on: { and: ["early", "late"] } },
      ],
      onFailures: "partial",
      limits: { failures: 2, stageMs: 500 },
    },
    at: "do late",
    stored: { channel: "reactions", count: 1 },
    answers: ["early", "late", "join"].map((name) => [`do ${name}`, { tokens: [`said ${name}`] }]),
    asked: { "do early": 1, "do late": 2, "do join": 1 },
    outcome: { status: "quiescent", output: "said join", events: ["START", "early", "late", "join"].map((type) => ({ type })) },
    refused: { status: "failures", errors: { early: expect.stringContaining("400") } },
  },
  {
    graphId: "blackboard",
    input: { task: "Write" },
    context: {
      sources: [source("left", "task", "name"), source("right", "task", "name"), source("after", "name", "end")],
      onFailures: "partial",
      limits: { failures: 2 },
    },
    at: "Which of them should hold", // two listeners wrote different values for one key
    answers: [
      ["Which of them should hold", { json: { winner: "left", reason: "It is older." } }],
      ["do left", { json: { values: { name: "Thames" }, confidence: 0.5 } }],
      ["do right", { json: { values: { name: "Rhine" }, confidence: 0.5 } }],
      ["do after", { tokens: ["said after"] }],
    ],
    asked: { "do left": 1, "do right": 1, "Which of them should hold": 2, "do after": 1 },
    outcome: { status: "exhausted", board: { name: "Thames", end: "said after" }, settlements: [{ winner: { by: "left" } }] },
    refused: { status: "failures", errors: { left: expect.stringContaining("400") } },
  },
  {
    graphId: "flow",
    input: { task: "Write" },
    context: {
      steps: [stage("one"), stage("two"), { ...stage("three"), on: { and: ["one", "two"] } }, { ...stage("four"), on: "three" }],
      onFailures: "partial",
    },
    at: "do three",
    answers: ["one", "two", "three", "four"].map((name) => [`do ${name}`, { tokens: [`said ${name}`] }]),
    asked: { "do one": 1, "do two": 1, "do three": 2, "do four": 1 },
    outcome: { status: "completed", output: "said four", path: ["one", "two", "three", "four"] },
    refused: { status: "failed", errors: { one: expect.stringContaining("400") } },
  },
  {
    graphId: "bus",
    input: { task: "Write" },
    context: {
      agents: [
        { name: "a", role: "the left one" },
        { name: "b", role: "the right one" },
      ],
      onFailures: "partial",
      limits: { failures: 1 },
    },
    at: "You are the right one", // while the agent's message is not acknowledged
    answers: [
      ["You are the right one", { json: { send: [sends("a", "done", "m2")], done: false } }],
      ['\\"from\\":\\"b\\"', { json: { send: [sends("user", "the end")], done: false } }],
      ["You are the left one", { json: { send: [{ ...sends("b", "do it"), type: "REQUEST" }], done: false } }],
    ],
    asked: { "You are the left one": 1, "You are the right one": 2, '\\"from\\":\\"b\\"': 1 },
    outcome: { status: "answered", output: "the end", log: [{ id: "m1" }, { id: "m2" }, { id: "m3" }, { id: "m4" }] },
    refused: { status: "failures", output: null },
  },
  {
    graphId: "mesh",
    input: { task: "Write", done: { path: "board.b", exists: true } },
    context: {
      agents: [
        { name: "a", role: "the left one" },
        { name: "b", role: "the right one" },
      ],
      onFailures: "partial",
    },
    at: actsAs("the right one"), // after all agents have announced an intention, when one has acted
    stored: { channel: "acted", count: 1 },
    answers: [
      ...["the left one", "the right one"].flatMap((role, index): [string, ScriptedReply][] => [
        [actsAs(role), { tokens: ["done"] }],
        [objectsAs(role), { json: { objections: [] } }],
        [looksAs(role), { json: { shouldAct: true, intention: "i", touches: ["ab".charAt(index)] } }],
      ]),
    ],
    asked: Object.fromEntries(
      ["the left one", "the right one"].flatMap((role) => [
        [looksAs(role), 1],
        [objectsAs(role), 1],
        [actsAs(role), role === "the right one" ? 2 : 1],
      ]),
    ),
    outcome: { status: "done", board: { a: "done", b: "done" }, changes: [{ by: "a" }, { by: "b" }] },
    refused: { status: "failures", lost: ["a", "b"] },
  },
];
