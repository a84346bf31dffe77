import { closed, Doing, type Step, type StepResult, stepName, type WorkflowValues } from "ensemble/patterns";
import { z } from "zod";

const mostTasks = 100;

/** A task of a fan-out. All tasks begin at the same time, and no task sees the result of another. */
export const Task = closed({
  name: stepName.describe("Name of the task, unique in the run"),
  do: Doing.describe("The work of the task"),
  input: z.unknown().optional().describe("Input of this task. Default: the input of the run"),
  required: z.boolean().default(true).describe("Whether the run fails if this task fails"),
  timeoutSeconds: z.number().positive().max(86_400).default(30).describe("Timeout of one try"),
  retries: z.number().int().min(0).max(10).default(2).describe("How often the failed task is tried again"),
});

export type Task = Omit<z.infer<typeof Task>, "do"> & { do: z.infer<typeof Doing> & { code?: string } };

export const Tasks = z
  .array(Task)
  .min(1)
  .max(mostTasks)
  .superRefine((tasks, context) => {
    const names = new Set<string>();
    tasks.forEach(({ name }, index) => {
      if (names.has(name)) context.addIssue({ code: "custom", path: [index, "name"], message: `there is another task named "${name}"` });
      names.add(name);
    });
  });

export const Join = z
  .union([z.enum(["all", "first"]), closed({ atLeast: z.number().int().min(1).describe("Number of tasks that must succeed") })])
  .describe("When the run continues: after all tasks, the first success, or a number of successes. Unfinished tasks are then aborted.");

/** Returns how many tasks must succeed, or undefined if the run waits for all tasks. */
export function needed(join: z.infer<typeof Join>): number | undefined {
  if (join === "all") return undefined;
  return join === "first" ? 1 : join.atLeast;
}

/** Returns the named tasks. Without names, returns all tasks. */
export function onlyOf(tasks: Task[], only: string[] | null): Task[] {
  if (!only) return tasks;
  const unknown = only.find((name) => !tasks.some((task) => task.name === name));
  if (unknown !== undefined)
    throw new Error(`only: there is no task named "${unknown}". There are ${tasks.map(({ name }) => name).join(", ")}.`);
  return tasks.filter(({ name }) => only.includes(name));
}

export const toSteps = (tasks: Task[]): Step[] =>
  tasks.map(({ name, required: _, ...task }) => ({ ...task, id: name, needs: [], onFailure: "continue" }));

export const Gathered = z.object({
  success: z.boolean().describe("Whether the task succeeded"),
  output: z.unknown().describe("Output of the task. Null if there is none"),
  error: z.string().nullable().describe("Why the task failed or was not done"),
});

/** Returns the tasks without a successful result. */
export const missingOf = ({ steps, results }: WorkflowValues): string[] =>
  steps.map(({ id }) => id).filter((id) => results[id]?.status !== "success");

/** Returns the outcome of each task, by its name. */
export function gather({ steps, results }: WorkflowValues): Record<string, z.infer<typeof Gathered>> {
  const notBegun = { status: "skipped", output: null, error: "No more work was begun." } as StepResult;
  return Object.fromEntries(
    steps.map(({ id }) => {
      const { status, output, error } = results[id] ?? notBegun;
      return [id, { success: status === "success", output, error }];
    }),
  );
}

/**
 * Returns the time from the first start to the last end of a task. Also returns the speedup: the sum of all durations divided by the
 * longest one.
 */
export function timesOf(results: WorkflowValues["results"]): { wallMs: number; speedup: number | null } {
  const worked = Object.values(results).filter(({ startedAt }) => startedAt !== null);
  const starts = worked.map(({ startedAt }) => Date.parse(startedAt ?? ""));
  const ends = worked.map(({ elapsedMs }, index) => (starts[index] ?? 0) + elapsedMs);
  const wallMs = worked.length === 0 ? 0 : Math.max(...ends) - Math.min(...starts);
  const longest = Math.max(0, ...worked.map(({ elapsedMs }) => elapsedMs));
  const sum = worked.reduce((total, { elapsedMs }) => total + elapsedMs, 0);
  return { wallMs, speedup: longest === 0 ? null : Number((sum / longest).toFixed(2)) };
}

const view = (name: string, task: string) => ({ name, do: { task } });

/** The default tasks, for runs that define no tasks. */
export const usualTasks = Tasks.parse([
  view("facts", "Name the facts that matter for this task. One line each."),
  view("risks", "Name what can go wrong with this task. One line each."),
  view("ideas", "Name ways to do this task. One line each."),
]);
