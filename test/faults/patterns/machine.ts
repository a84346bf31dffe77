import { expect } from "vitest";
import type { Broken } from "./row.ts";

export const machine: Broken[] = [
  {
    graphId: "state-machine",
    input: { task: "Order" },
    at: "Carry out the order", // during the second of three actions
    answers: [
      ["carried out as it is?", { json: { valid: true, reason: "r" } }],
      ["Carry out the order", { tokens: ["carried out"] }],
      ["Tell the customer", { tokens: ["It is done."] }],
    ],
    asked: { "carried out as it is?": 1, "Carry out the order": 2, "Tell the customer": 1 },
    outcome: { status: "final", state: "COMPLETED", output: "It is done.", facts: { result: "carried out" } },
    refused: { status: "failed", state: "CREATED", error: expect.stringContaining("400") },
  },
];
