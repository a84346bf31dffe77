import { z } from "zod";

export const TaskStatus = z.enum(["pending", "running", "done", "failed", "skipped"]);
export type TaskStatus = z.infer<typeof TaskStatus>;

/**
 * The status of a plan:
 * - pending: no subtask has begun.
 * - running: a subtask is running or can begin, and at least one has begun.
 * - failed: a subtask has failed, and no other subtask is running or can begin.
 * - done: every subtask is done or skipped.
 */
export const PlanStatus = z.enum(["pending", "running", "done", "failed"]);
export type PlanStatus = z.infer<typeof PlanStatus>;

const mostTasks = 1_000;
const mostResultCharacters = 1_000_000;

/** A trimmed text of 1 to `most` characters that Postgres can store. */
const text = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .refine((value) => !value.includes("\0") && value.isWellFormed(), "must not contain NUL characters or lone surrogates");
const Metadata = z.record(z.string(), z.unknown());
export const TaskId = text(200);

const NewTask = z.object({
  id: TaskId.describe("unique in the plan"),
  title: text(2_000).nullish().describe("default: the id"),
  depends_on: z.array(TaskId).max(mostTasks).default([]).describe("ids of subtasks that must be done before"),
  agent: text(200).nullish().describe("who does it"),
  metadata: Metadata.nullish(),
});
type NewTask = z.output<typeof NewTask>;

/** The request that registers a plan. The ids of its subtasks are unique, and their dependencies exist and form no cycle. */
export const PlanCreate = z.object({
  plan_id: z.guid().toLowerCase().optional().describe("default: a new id"),
  type: text(200).default("plan").describe("a word of your own, such as fan_out"),
  title: text(2_000).nullish(),
  metadata: Metadata.nullish(),
  subtasks: z.array(NewTask).min(1).max(mostTasks).superRefine(refuseProblems),
});
export type PlanCreate = z.output<typeof PlanCreate>;

/** The request that changes a subtask. */
export const TaskChange = z.object({
  status: TaskStatus,
  result: z
    .unknown()
    .optional()
    .refine(
      (result) => (JSON.stringify(result)?.length ?? 0) <= mostResultCharacters,
      `must have at most ${mostResultCharacters} characters of JSON`,
    ),
  error: text(100_000).nullish(),
  agent: text(200).nullish(),
  force: z.boolean().optional().describe("makes the change even if dependencies are not done or the status does not allow it"),
});
export type TaskChange = z.output<typeof TaskChange>;

function refuseProblems(tasks: NewTask[], { addIssue }: z.RefinementCtx): void {
  const ids = new Map(tasks.map(({ id }, index) => [id, index] as const).toReversed()); // if ids are equal, the first subtask counts
  tasks.forEach(({ id, depends_on }, index) => {
    if (ids.get(id) !== index) addIssue({ code: "custom", path: [index, "id"], message: `there is another subtask "${id}"` });
    depends_on.forEach((other, place) => {
      if (!ids.has(other)) addIssue({ code: "custom", path: [index, "depends_on", place], message: `there is no subtask "${other}"` });
    });
  });
  const cycle = cycleIn(tasks);
  if (cycle)
    addIssue({
      code: "custom",
      path: [ids.get(cycle[0] ?? "") ?? 0, "depends_on"],
      message: `the subtasks wait for each other: ${cycle.join(" → ")}`,
    });
}

/** Returns the ids of subtasks that form a cycle, in the order of the cycle. Returns undefined if there is no cycle. */
function cycleIn(tasks: NewTask[]): string[] | undefined {
  const needs = new Map(tasks.map(({ id, depends_on }) => [id, depends_on]));
  // Removes subtasks without open dependencies, until only subtasks remain that wait for each other.
  for (let size = -1; size !== needs.size; ) {
    size = needs.size;
    for (const [id, others] of needs) if (others.every((other) => !needs.has(other))) needs.delete(id);
  }
  const path: string[] = [];
  for (let id = [...needs.keys()][0]; id !== undefined; id = needs.get(id)?.find((other) => needs.has(other))) {
    if (path.includes(id)) return [...path.slice(path.indexOf(id)), id];
    path.push(id);
  }
  return undefined;
}
