import { z } from "zod";
import type { CodeCondition, Condition } from "../conditions.ts";
import type { Doing } from "../doing.ts";

/** The name of a step. It has no dots, because paths separate names by dots. */
export const stepName = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^.]+$/, "a name has no dots");

/** The rule for a step that has failed for good. */
export type OnFailure = "stop" | "continue" | { use: unknown } | { handler: Doing };

/** A step of a workflow, as data. A pattern makes the steps from its input. */
export interface Step {
  id: string;
  do: Doing;
  /** The steps that must be over before this one can begin. */
  needs: string[];
  /** The paths of the values that the step gets. Default: the outputs of the steps that it needs, or else the input of the run. */
  takes?: string | string[];
  /** A fixed input, instead of values of other steps. */
  input?: unknown;
  /** The step is skipped if this does not hold. */
  when?: Condition | CodeCondition;
  /** A step that only decides. Its output says whether the condition holds. It does no work, and hands its input on. */
  gate?: Condition | CodeCondition;
  /** The decisions of gates on which the step depends. It is skipped if one of them is different. */
  arms?: { gate: string; holds: boolean }[];
  timeoutSeconds: number;
  retries: number;
  onFailure: OnFailure;
  /** Whether a skipped or failed step hands its own input on as its output. Otherwise the steps that need it are skipped too. */
  passes?: boolean;
  /** Whether the step gets a list of the outputs of the steps that it needs, without those that failed. */
  collects?: boolean;
  /** The JSON schema of the output. An output that does not fit counts as a failure, so it goes back with the problem named. */
  outputs?: Record<string, unknown>;
  /** Whether clients that stream the run see the tokens of this step's agent. */
  speaks?: boolean;
  /** Whether a person sees the output before it counts. What the person wants changed goes back to the step. */
  reviewed?: boolean;
  /** Data of the pattern, for its function `equip`. */
  own?: unknown;
  /** The work that undoes this step. */
  compensate?: Doing;
  /** Set if nothing is undone once this step has succeeded. */
  pivot?: boolean;
}

export const StepResult = z.object({
  status: z.enum(["success", "failed", "timeout", "skipped", "cancelled"]).describe("Outcome of the step"),
  output: z.unknown().describe("Output of the step. Null if there is none"),
  error: z.string().nullable().describe("Why the step failed or was skipped"),
  tries: z.number().int().describe("Number of tries"),
  startedAt: z.string().nullable().describe("Time at which the last try began"),
  elapsedMs: z.number().describe("Duration of all tries in milliseconds"),
  isFatal: z.boolean().optional().describe("Whether a retry would fail in the same way"),
  handled: z.string().optional().describe("The error that a handler or a fixed value has replaced"),
  isOver: z.boolean().describe("Whether the step is not tried again"),
  isOpen: z.boolean().optional().describe("Whether a person must still see the output"),
});

export type StepResult = z.infer<typeof StepResult>;

/** A decision of a condition, with the values that it saw. */
export const Decision = z.object({
  step: z.string().describe("Step whose condition was checked"),
  holds: z.boolean().describe("Whether the condition held"),
  seen: z.record(z.string(), z.unknown()).describe("Values that the condition saw, by path or question"),
  missing: z.array(z.string()).describe("Paths without a value. A comparison with them is false."),
});

export type Decision = z.infer<typeof Decision>;

export const isFailed = (result: StepResult | undefined): boolean => result?.status === "failed" || result?.status === "timeout";

/** Returns the result of a step that was not done. */
export const notDone = (status: "skipped" | "cancelled", error: string): StepResult => ({
  status,
  output: null,
  error,
  tries: 0,
  startedAt: null,
  elapsedMs: 0,
  isOver: true,
});
