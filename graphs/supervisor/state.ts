import { type GraphNode, ReducedValue, StateSchema } from "@langchain/langgraph";
import { z } from "zod";
import { Settlement } from "../kit/conflicts.ts";
import { Ledger } from "../kit/ledger.ts";
import { WorkStep } from "../kit/plan-of-work.ts";
import { appending } from "../kit/state.ts";
import { Call, StepResult } from "../kit/step-work.ts";
import { Synthesis } from "../kit/synthesis.ts";
import { Material, Task } from "../kit/task.ts";
import type { Context } from "./context.ts";

export const State = new StateSchema({
  task: Task.describe("What is to be done"),
  input: Material.describe("What it is to be done with"),
  steps: z
    .array(WorkStep)
    .default(() => [])
    .describe("The plan: who does what, and what it needs first"),
  results: new ReducedValue(
    z
      .record(z.string(), StepResult)
      .default(() => ({}))
      .describe("What came of each step"),
    { inputSchema: z.record(z.string(), StepResult), reducer: (all, more) => ({ ...all, ...more }) },
  ),
  wave: z.string().default("").describe("Marks what is sent out next"),
  calls: appending(Call, "Calls that are not in the ledger yet"),
  again: z
    .record(z.string(), z.number().int())
    .default(() => ({}))
    .describe("Failed steps that are tried once more, with the tries that they have had"),
  additions: z.number().int().default(0).describe("How often steps were added"),
  finished: z.boolean().default(false).describe("No more work is begun"),
  settlements: z
    .array(Settlement)
    .default(() => [])
    .describe("Contradictions and how they were settled"),
  report: Synthesis.nullable().default(null).describe("What a person reads in the end"),
  ledger: Ledger,
});

const { fields } = State;
/** What a caller gives, and what is for a caller to see; the rest of the state is book-keeping. */
export const Input = z.object({ task: fields.task, input: fields.input });
export const Output = new StateSchema({
  steps: fields.steps,
  results: fields.results,
  settlements: fields.settlements,
  report: fields.report,
  ledger: fields.ledger,
});

export type Supervised = typeof State.State;
export type Node = GraphNode<typeof State, z.input<typeof Context>>;
