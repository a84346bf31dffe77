import { z } from "zod";

const Id = z.string().trim().min(1).max(50);

/** A task in the form that a caller or the lead sends. */
export const TaskSpec = z.strictObject({
  id: Id.describe("Short unique id"),
  subject: z.string().trim().min(1).max(200).describe("What it is about, in a few words"),
  description: z.string().max(20_000).default("").describe("What exactly is to be done"),
  blockedBy: z.array(Id).max(50).default([]).describe("Ids of tasks that must be completed before"),
  owner: z.string().optional().describe("Member that does the task. Without one, members claim it."),
});
export type TaskSpec = z.infer<typeof TaskSpec>;

/** A task of the shared list. Fields that a caller does not send get defaults. */
export const TeamTask = z.object({
  ...TaskSpec.shape,
  owner: z.string().nullable().default(null).describe("Member that does or did the task"),
  status: z.enum(["pending", "in_progress", "completed", "failed"]).default("pending").describe("State of the task"),
  result: z.string().nullable().default(null).describe("Result of a completed task"),
  error: z.string().nullable().default(null).describe("Why the last try failed"),
  tried: z.array(z.string()).default([]).describe("Members that failed with it"),
  turns: z.number().int().default(0).describe("Turns that its owner has used"),
});
export type TeamTask = z.infer<typeof TeamTask>;

export const mostTasks = 50;

/** The schema of the tasks in an input. Ids are unique, and dependencies exist and have no cycle. */
export const Tasks = z
  .array(TaskSpec)
  .max(mostTasks)
  .default([])
  .superRefine((tasks, { addIssue }) => {
    for (const { index, key, message } of problemsOf(tasks)) addIssue({ code: "custom", path: [index, key], message });
  })
  .describe("Tasks of the team. Without any, the lead plans them.");

type Listed = Pick<TeamTask, "id" | "blockedBy"> & { owner?: string | null };

interface Problem {
  index: number;
  key: keyof TaskSpec;
  message: string;
}

/** Returns the problems of a list of tasks. `members` are the possible owners. Without this list, any owner is accepted. */
export function problemsOf(tasks: Listed[], members?: string[]): Problem[] {
  const ids = tasks.map(({ id }) => id);
  return tasks.flatMap(({ id, blockedBy, owner }, index): Problem[] => {
    const unknown = blockedBy.filter((other) => !ids.includes(other));
    const cycle = unknown.length === 0 ? cycleFrom(id, tasks) : undefined;
    return [
      ...(ids.indexOf(id) < index ? [{ index, key: "id" as const, message: `there is another task "${id}"` }] : []),
      ...unknown.map((other) => ({ index, key: "blockedBy" as const, message: `there is no task "${other}"` })),
      ...(cycle ? [{ index, key: "blockedBy" as const, message: `the tasks block each other: ${cycle.join(" → ")}` }] : []),
      ...(owner && members && !members.includes(owner)
        ? [{ index, key: "owner" as const, message: `there is no member "${owner}"; there are ${members.join(", ")}` }]
        : []),
    ];
  });
}

/** Returns the ids of a dependency cycle that starts at a task, or undefined if there is no such cycle. */
function cycleFrom(id: string, tasks: Listed[]): string[] | undefined {
  const seen = new Set<string>();
  const visit = (current: string, path: string[]): string[] | undefined => {
    for (const next of tasks.find((task) => task.id === current)?.blockedBy ?? []) {
      if (next === id) return [...path, next];
      if (seen.has(next)) continue;
      seen.add(next);
      const found = visit(next, [...path, next]);
      if (found) return found;
    }
    return undefined;
  };
  return visit(id, [id]);
}

/** Tells whether all tasks that this task waits for are completed. */
export const isUnblocked = ({ blockedBy }: TeamTask, tasks: TeamTask[]): boolean =>
  blockedBy.every((id) => tasks.find((task) => task.id === id)?.status === "completed");

/** Returns the tasks that a member may claim: pending, unblocked, and without an owner. */
export const claimable = (tasks: TeamTask[]): TeamTask[] =>
  tasks.filter((task) => task.status === "pending" && task.owner === null && isUnblocked(task, tasks));

/** Returns the reason why each unfinished task is stuck. */
export function whyStuck(tasks: TeamTask[]): string[] {
  return tasks.flatMap((task) => {
    if (task.status === "completed" || task.status === "failed") return [];
    const waiting = task.blockedBy.filter((id) => tasks.find((one) => one.id === id)?.status !== "completed");
    const states = waiting.map((id) => `${id} (${tasks.find((one) => one.id === id)?.status})`);
    return [`${task.id}: ${states.length > 0 ? `blocked by ${states.join(", ")}` : "nobody does it"}`];
  });
}
