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
  task: Task.describe("Task to do"),
  input: Material.describe("Material for the task"),
  steps: z
    .array(WorkStep)
    .default(() => [])
    .describe("Plan: the steps, their agents and their dependencies"),
  results: new ReducedValue(
    z
      .record(z.string(), StepResult)
      .default(() => ({}))
      .describe("Outcome of each step"),
    { inputSchema: z.record(z.string(), StepResult), reducer: (all, more) => ({ ...all, ...more }) },
  ),
  wave: z.string().default("").describe("Mark of the next wave"),
  calls: appending(Call, "Calls that are not in the ledger yet"),
  again: z
    .record(z.string(), z.number().int())
    .default(() => ({}))
    .describe("Failed steps to retry, with their number of tries"),
  additions: z.number().int().default(0).describe("How often steps were added"),
  finished: z.boolean().default(false).describe("Set when no more work starts"),
  settlements: z
    .array(Settlement)
    .default(() => [])
    .describe("Contradictions and their resolutions"),
  report: Synthesis.nullable().default(null).describe("Final report"),
  ledger: Ledger,
});

const { fields } = State;
/** The fields that a caller gives or sees. The rest of the state is internal. */
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
