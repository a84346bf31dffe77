import type { ScriptedReply } from "../../../graphs/testing/scripted-model.ts";
import type { Broken } from "./row.ts";

const vote = (option: string) => ({ option, position: option, confidence: 1, move: option === "go" ? "concede" : "keep", because: "so" });
const goes = { json: vote("go") };
const stops = { json: vote("stop") };
const debaters = ["an advocate of change", "an advocate of what is proven", "a pragmatist who looks at effort and benefit"];
/** The beginning of a debater's instruction after the first statements. */
const inRound = (role: string) => `${role}.\\nArgue with reasons that can be checked.\\n- Keep`;

export const deliberation: Broken[] = [
  {
    graphId: "panel",
    input: { question: "Shall we go?", ballot: { options: ["go", "stop"] } },
    at: "what can go wrong",
    stored: { channel: "answers", count: 2 },
    answers: [
      ["Write the decision on", { tokens: ["We go."] }],
      ...["what can be built", "what it is worth", "what can go wrong"].map((field): [string, ScriptedReply] => [field, goes]),
    ],
    asked: { "what can be built": 1, "what it is worth": 1, "what can go wrong": 2, "Write the decision on": 1 },
    outcome: { decision: "go", consensus: true, result: "We go." },
  },
  {
    graphId: "debate",
    input: { question: "Shall we go?", ballot: { options: ["go", "stop"] } },
    at: inRound("a pragmatist who looks at effort and benefit"),
    stored: { channel: "answers", count: 2 },
    answers: [
      ["Write the decision on", { tokens: ["We go."] }],
      ...debaters.map((role): [string, ScriptedReply] => [inRound(role), goes]),
      ...debaters.map((role): [string, ScriptedReply] => [role, role.includes("proven") ? stops : goes]),
    ],
    asked: Object.fromEntries([
      ...debaters.flatMap((role) => [
        [role, 1],
        [inRound(role), role.includes("pragmatist") ? 2 : 1],
      ]),
      ["Write the decision on", 1],
    ]),
    outcome: { decision: "go", stopped: "consensus", rounds: [{}, {}] },
  },
  {
    graphId: "team",
    input: { task: "Build", tasks: ["a", "b", "c"].map((id) => ({ id, subject: `the part ${id}` })) },
    at: "Do task c",
    stored: { channel: "turns", count: 2 },
    answers: [
      ["How much do the members", { json: { score: 1, reason: "alone" } }],
      ["Answer from the results", { tokens: ["Built."] }],
      ...["a", "b", "c"].map((id): [string, ScriptedReply] => [`Do task ${id}`, { tokens: ["done"] }]),
    ],
    asked: { "How much do the members": 1, "Do task a": 1, "Do task b": 1, "Do task c": 2, "Answer from the results": 1 },
    outcome: { result: "Built.", tasks: [{ status: "completed" }, { status: "completed" }, { status: "completed" }] },
  },
  {
    graphId: "team", // as a mesh, in the round after a tool call
    input: { task: "Build", tasks: [{ id: "a", subject: "the part a", owner: "researcher" }] },
    at: "maker reads it in the next round",
    answers: [
      ["How much do the members", { json: { score: 5, reason: "together" } }],
      ["Answer from the results", { tokens: ["Built."] }],
      ["maker reads it in the next round", { toolCall: { id: "call_2", name: "complete", args: { result: "A" } } }],
      ["Do task a", { toolCall: { id: "call_1", name: "send_message", args: { to: "maker", content: "Look!", summary: "Look" } } }],
    ],
    asked: { "How much do the members": 1, "Do task a": 1, "maker reads it in the next round": 2, "Answer from the results": 1 },
    outcome: { result: "Built.", topology: "mesh", mail: [{ from: "researcher", to: "maker" }], tasks: [{ result: "A" }] },
  },
];
