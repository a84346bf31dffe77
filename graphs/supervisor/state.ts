import { type GraphNode, Overwrite, ReducedValue, StateSchema } from "@langchain/langgraph";
import { AgentData, appending, CallStatus, Ledger, LedgerEntry, Material, taskInput, taskState } from "ensemble/patterns";
import { z } from "zod";
import { Agreement, Conflict, Settlement } from "./conflicts.ts";
import type { ContextInput } from "./context.ts";
import { WorkStep } from "./plan.ts";
import { Report } from "./report.ts";

/** The outcome of a step. */
export const StepResult = z.object({
  status: CallStatus.describe("Outcome of the step"),
  work: z.unknown().describe("Result of the agent: a summary and findings, or what its own schema says. Null without one."),
  error: z.string().nullable().describe("Reason of a failure, or why the step was skipped"),
  isFatal: z.boolean().default(false).describe("Whether another try must fail in the same way"),
  tries: z.number().int().describe("Number of tries"),
});

export type StepResult = z.infer<typeof StepResult>;

const Review = z.object({
  decision: z.enum(["continue", "finish"]).describe("Decision of the judge"),
  reason: z.string().describe("Reason of the decision"),
  reassigned: z.array(z.string()).describe("Failed steps that went to another agent"),
  added: z.array(z.string()).describe("Steps that were added"),
  refused: z.array(z.string()).describe("Steps that could not be added, with the reasons"),
});

/** The ledger entries of a step and its wave. A cached result keeps the wave that made it. */
const Call = z.object({ step: z.string(), wave: z.string(), entries: z.array(LedgerEntry) });

const list = <Item extends z.ZodType>(item: Item, description: string) =>
  z
    .array(item)
    .default(() => [])
    .describe(description);

export const State = new StateSchema({
  ...taskState,
  input: Material.default(null).describe("Material for the task"),
  roster: z.array(AgentData).nullable().default(null).describe("Roster of the run. Null when the agents are those of the code."),
  steps: list(WorkStep, "Plan: the steps, their agents and their dependencies"),
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
    .describe("Reassigned steps, with the number of tries before"),
  reviewed: list(z.string(), "Failed steps that the judge has seen"),
  advice: z.string().default("").describe("New instructions of a person after failures"),
  additions: z.number().int().default(0).describe("Number of reviews that added steps"),
  finished: z.boolean().default(false).describe("Set when no more work starts"),
  reviews: list(Review, "Decisions of the judge after waves"),
  conflicts: list(Conflict, "Contradictions between findings"),
  agreements: list(Agreement, "Subjects on which several agents agree"),
  settlements: list(Settlement, "Contradictions and their resolutions"),
  report: Report.nullable().default(null).describe("Final report"),
  ledger: Ledger,
});

/** Clears what an earlier run left on the thread, because its steps may have had the same ids. */
export const cleared = () => ({
  results: new Overwrite({}),
  calls: new Overwrite([]),
  again: {},
  reviewed: [],
  advice: "",
  additions: 0,
  finished: false,
  reviews: [],
  conflicts: [],
  agreements: [],
  settlements: [],
  report: null,
});

const { messages, input, steps, results, reviews, settlements, report, ledger } = State.fields;
/** The fields that a caller gives or sees. The rest of the state is internal. */
export const Input = taskInput({ input });
export const Output = new StateSchema({ messages, steps, results, reviews, settlements, report, ledger });

export type Supervised = typeof State.State;
export type Node = GraphNode<typeof State, ContextInput>;
