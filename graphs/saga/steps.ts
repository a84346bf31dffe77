import { type Code, closed, Doing, type DoingInCode, type Step, type StepResult, stepName, toData } from "ensemble/patterns";
import { z } from "zod";

const mostSteps = 50;
/** The number of retries of a step after the pivot. No step can be undone after the pivot, so the saga keeps trying. */
const retriesAfterPivot = 10;

const SagaStep = closed({
  name: stepName.describe("Name of the step, unique in the saga"),
  execute: Doing.describe("The work of the step"),
  compensate: Doing.optional().describe("The work that undoes the step. It gets the step's input and output."),
  needs: z.array(z.string()).optional().describe("Steps that must be done before. Default: the step before this one"),
  takes: z
    .union([z.string(), z.array(z.string()).min(1)])
    .optional()
    .describe("Input of the step, instead of the outputs of the steps that it needs"),
  timeoutSeconds: z.number().positive().max(86_400).default(30).describe("Timeout of one try"),
  retries: z.number().int().min(0).max(20).default(2).describe("How often a failed step is tried again"),
  pivot: z.boolean().default(false).describe("Whether this step is the pivot: once it has succeeded, no step is undone"),
});
type SagaStep = Omit<z.infer<typeof SagaStep>, "execute" | "compensate"> & Record<"execute", Step["do"]> & { compensate?: Step["do"] };

/** The schema of a saga's steps. Their names are unique, and a step may need only earlier steps. */
export const Steps = z
  .array(SagaStep)
  .min(1)
  .max(mostSteps)
  .superRefine((steps, context) => {
    const known = new Set<string>();
    steps.forEach(({ name, needs = [] }, index) => {
      const unknown = needs.find((need) => !known.has(need));
      if (unknown !== undefined)
        context.addIssue({ code: "custom", path: [index, "needs"], message: `no step before this one is called "${unknown}"` });
      if (known.has(name)) context.addIssue({ code: "custom", path: [index, "name"], message: `there is another step named "${name}"` });
      known.add(name);
    });
  });

/** The default steps, for runs that define no steps. A worker agent does and undoes each step, which shows the order of the work. */
export const usualSteps = Steps.parse(
  ["prepare", "apply", "confirm"].map((name) => ({
    name,
    execute: { task: `Say in one sentence how you would ${name} this.` },
    compensate: { task: `Say in one sentence how you would undo "${name}".` },
  })),
);

/** A step that is defined in TypeScript code, so it can contain functions and agents directly. */
export type StepInCode = Omit<z.input<typeof SagaStep>, "execute" | "compensate"> & { execute: DoingInCode; compensate?: DoingInCode };

/** Converts a step from TypeScript code to JSON. Its functions and agents go into `code`, and the JSON refers to them by name. */
export function inCode({ execute, compensate, ...step }: StepInCode, code: Code): SagaStep {
  const parsed = SagaStep.parse({ ...step, execute: { task: "-" } });
  return {
    ...parsed,
    execute: toData(execute, step.name, code),
    ...(compensate && { compensate: toData(compensate, `${step.name} (compensation)`, code) }),
  };
}

/** A step that an earlier run has done, with the input and the output that the step had. */
interface DoneStep {
  step: string;
  input?: unknown;
  output?: unknown;
}

/** Returns the plan of a run. If the run only undoes one step, the plan has only that step, and the step counts as done. */
export function plannedOf(steps: Step[], undoOnly: DoneStep | null): { steps: Step[]; results?: Record<string, StepResult> } {
  if (!undoOnly) return { steps };
  const { step: id, input = null, output = null } = undoOnly;
  const step = steps.find((one) => one.id === id);
  if (!step?.compensate) throw new Error(`undoOnly: there is no step named "${id}" that can be undone.`);
  const result: StepResult = { status: "success", output, error: null, tries: 0, startedAt: null, elapsedMs: 0, isOver: true };
  return { steps: [{ ...step, needs: [], input, pivot: false }], results: { [id]: result } };
}

/** Converts the steps of a saga to the steps that the nodes run. Without `needs`, each step depends on the previous one. */
export function toSteps(steps: SagaStep[]): Step[] {
  const pivot = steps.findIndex((step) => step.pivot);
  return steps.map(({ name, execute, needs, retries, ...step }, index) => ({
    ...step,
    id: name,
    do: execute,
    needs:
      needs ??
      steps
        .slice(0, index)
        .slice(-1)
        .map((before) => before.name),
    retries: pivot >= 0 && index > pivot ? Math.max(retries, retriesAfterPivot) : retries,
    onFailure: "stop",
  }));
}
