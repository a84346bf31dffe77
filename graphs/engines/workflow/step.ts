import { z } from "zod";
import { Span } from "../../agent/metrics/span.ts";
import type { CodeCondition, Condition } from "../conditions.ts";
import type { Doing } from "../doing.ts";

/** The schema of a step's name. It has no dots, because paths separate names by dots. */
export const stepName = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^.]+$/, "a name has no dots");

/**
 * The rule that applies after a step has failed for good: stop the workflow, continue, use a fixed output, or do other work in its place.
 */
export type OnFailure = "stop" | "continue" | { use: unknown } | { handler: Doing };

/** A step of a workflow. A pattern makes the steps from the input of a run. */
export interface Step {
  id: string;
  do: Doing;
  /** The steps that must end before this step can begin. */
  needs: string[];
  /** The paths of the step's input values. Default: the outputs of the steps that it needs, or the input of the run if it needs none. */
  takes?: string | string[];
  /** A fixed input. It takes precedence over the values of other steps. */
  input?: unknown;
  /** The condition of the step. If the condition does not hold, the step is skipped. */
  when?: Condition | CodeCondition;
  /** The condition of a step that only decides. Such a step does no work, and passes its input on. */
  gate?: Condition | CodeCondition;
  /** The gates on which the step depends, each with the decision that the step needs. If a gate decides otherwise, the step is skipped. */
  arms?: { gate: string; holds: boolean }[];
  timeoutSeconds: number;
  retries: number;
  onFailure: OnFailure;
  /** Whether the step passes its own input on if it is skipped or fails. If false, the steps that need this step are skipped as well. */
  passes?: boolean;
  /** Whether the input of the step is a list of the outputs of the steps that it needs. Failed steps are left out. */
  collects?: boolean;
  /**
   * The JSON schema of the output. An output that does not match is a failure, so the step is retried with a description of the problem.
   */
  outputs?: Record<string, unknown>;
  /** Whether clients that stream the run see the tokens of this step's agent. */
  speaks?: boolean;
  /** Whether a person must approve the output. If the person wants a change, the step runs again. */
  reviewed?: boolean;
  /** Data of the pattern. The pattern's function `equip` reads this data. */
  own?: unknown;
  /** The work that undoes this step. */
  compensate?: Doing;
  /** Whether this step is the pivot. After the pivot has succeeded, no step is undone. */
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
  span: Span.optional().describe("Times of the step, for the metrics of the run"),
  isOver: z.boolean().describe("Whether the step has ended and is not tried again"),
  isOpen: z.boolean().optional().describe("Whether a person must still approve the output"),
});

export type StepResult = z.infer<typeof StepResult>;

/** The decision of a condition, and the values that it read. */
export const Decision = z.object({
  step: z.string().describe("Step whose condition was checked"),
  holds: z.boolean().describe("Whether the condition held"),
  seen: z.record(z.string(), z.unknown()).describe("Values that the condition read, by path or question"),
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
