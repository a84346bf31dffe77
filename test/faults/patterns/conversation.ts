import type { Broken } from "./row.ts";

export const conversation: Broken[] = [
  {
    graphId: "group-chat",
    input: { task: "Write" },
    at: '"role":"assistant"', // in turn 4, in which the planner sees its own messages
    answers: [
      ['"role":"assistant"', { tokens: ["APPROVED"] }],
      ["You are a planner", { tokens: ["Two lines."] }],
      ["You are an executor", { tokens: ["Rivers bend."] }],
      ["You are a reviewer", { tokens: ["Too short."] }],
    ],
    asked: { '"role":"assistant"': 2, "You are a planner": 1, "You are an executor": 1, "You are a reviewer": 1 },
    outcome: { turns: 4, stopReason: 'text "APPROVED"', speaker: "planner" },
  },
  {
    graphId: "swarm",
    input: { task: "Where is my invoice?" },
    at: "You are the specialist for invoices",
    answers: [
      ["You are the specialist for invoices", { tokens: ["In your inbox."] }],
      ["You are the first contact", { toolCall: { id: "call_1", name: "transfer_to_billing", args: {} } }],
    ],
    asked: { "You are the first contact": 1, "You are the specialist for invoices": 2 },
    outcome: { result: "In your inbox.", lastAgent: "billing", handoffs: [{ from: "triage", to: "billing" }] },
  },
];
