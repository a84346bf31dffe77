import { type GraphNode, Overwrite, ReducedValue, StateSchema } from "@langchain/langgraph";
import { AgentData, appending, CallStatus, LedgerEntry, ledgerState, Material, Span, taskInput, taskState } from "ensemble/patterns";
import { z } from "zod";
import { Agreement, Conflict, Settlement, View } from "./conflicts.ts";
import { WorkStep } from "./plan.ts";
import { Report } from "./report.ts";

/** The outcome of a step. */
export const StepResult = z.object({
  status: CallStatus.describe("Outcome of the step"),
  work: z
    .unknown()
    .describe("Result of the agent: a summary and findings, or a value of the agent's own schema. Null if there is no result."),
  error: z.string().nullable().describe("Why the step failed or was skipped"),
  isFatal: z.boolean().default(false).describe("Whether a retry would fail in the same way"),
  tries: z.number().int().describe("Number of tries"),
});

export type StepResult = z.infer<typeof StepResult>;

const Review = z.object({
  decision: z.enum(["continue", "finish"]).describe("Decision of the judge"),
  reason: z.string().describe("Reason of the decision"),
  reassigned: z.array(z.string()).describe("Failed steps that were given to another agent"),
  added: z.array(z.string()).describe("Steps that were added"),
  refused: z.array(z.string()).describe("Steps that could not be added, with the reasons"),
});

/** The ledger entries and times of a step, and the wave in which they were recorded. A cached result keeps its original wave. */
const Call = z.object({ step: z.string(), wave: z.string(), entries: z.array(LedgerEntry), span: Span.optional() });

const list = <Item extends z.ZodType>(item: Item, description: string) =>
  z
    .array(item)
    .default(() => [])
    .describe(description);

export const State = new StateSchema({
  ...taskState,
  input: Material.default(null).describe("Material for the task"),
  roster: z.array(AgentData).nullable().default(null).describe("Roster of the run. Null if the run uses the agents from code."),
  steps: list(WorkStep, "Plan: the steps, their agents and their dependencies"),
  results: new ReducedValue(
    z
      .record(z.string(), StepResult)
      .default(() => ({}))
      .describe("Outcome of each step"),
    { inputSchema: z.record(z.string(), StepResult), reducer: (all, more) => ({ ...all, ...more }) },
  ),
  wave: z.string().default("").describe("Mark of the next wave"),
  calls: appending(Call, "Ledger entries that are not in the ledger yet"),
  spans: z
    .record(z.string(), Span)
    .default(() => ({}))
    .describe("Times of each step, for the metrics of the run"),
  again: z
    .record(z.string(), z.number().int())
    .default(() => ({}))
    .describe("Reassigned steps, with the number of tries by the earlier agent"),
  reviewed: list(z.string(), "Failed steps that the judge has seen"),
  advice: z.string().default("").describe("New instructions that a person gave after failures"),
  additions: z.number().int().default(0).describe("Number of reviews that added steps"),
  finished: z.boolean().default(false).describe("Whether no more work starts"),
  reviews: list(Review, "Decisions of the judge after waves"),
  conflicts: list(Conflict, "Contradictions between findings"),
  agreements: list(Agreement, "Subjects on which several agents agree"),
  repeated: list(View, "Findings that say the same as a surer one"),
  settlements: list(Settlement, "Contradictions and their resolutions"),
  report: Report.nullable().default(null).describe("Final report"),
  ...ledgerState,
});

/**
 * Returns the update that clears the values of an earlier run on the thread. Without this update, steps with the same ids would count as
 * done.
 */
export const cleared = () => ({
  results: new Overwrite({}),
  calls: new Overwrite([]),
  spans: {},
  again: {},
  reviewed: [],
  advice: "",
  additions: 0,
  finished: false,
  reviews: [],
  conflicts: [],
  agreements: [],
  repeated: [],
  settlements: [],
  report: null,
});

const { messages, input, steps, results, reviews, settlements, report, ledger, metrics } = State.fields;
/** The fields that a caller sends and the fields that a caller sees. All other state keys are internal. */
export const Input = taskInput({ input });
export const Output = new StateSchema({ messages, steps, results, reviews, settlements, report, ledger, metrics });

export type Supervised = typeof State.State;
export type Node = GraphNode<typeof State>;

/** The names of the graph's own nodes. */
const ownNodes = "route work recall account review askAboutFailures reconcile askAboutConflicts settle synthesize fail".split(" ");

/**
 * Tells whether an agent's name can be the name of its node. LangGraph refuses names of other nodes and of state keys, and some characters.
 */
export const isNodeName = (name: string): boolean =>
  !ownNodes.includes(name) && !Object.hasOwn(State.fields, name) && !/[|:]|^__/.test(name);
