import { z } from "zod";
import type { TaskStatus } from "./plan.ts";
import { type PlanState, type PlanTask, stateOf } from "./progress.ts";

/**
 * The plan of a thread, in the form of a registered plan. A pattern (one of our ready-made graphs) keeps the tasks of this plan in the
 * thread's state.
 */
export type ThreadPlan = PlanState & { thread_id: string; type: string; title: string | null; subtasks: PlanTask[] };

const Result = z.object({
  status: z.enum(["success", "failed", "timeout", "skipped", "cancelled"]),
  output: z.unknown().optional(),
  /** The output of a step. The pattern supervisor calls this field `work`, and the other patterns call it `output`. */
  work: z.unknown().optional(),
  error: z.string().nullable().default(null),
  tries: z.number().default(0),
  startedAt: z.string().nullable().default(null),
  elapsedMs: z.number().default(0),
  isOver: z.boolean().default(true),
});
type Result = z.infer<typeof Result>;

/** The state keys of the patterns with steps: fan-out, pipeline, map-reduce, saga, work-engine and supervisor. */
const Steps = z.object({
  steps: z
    .array(
      z.object({
        id: z.string(),
        needs: z.array(z.string()).optional(),
        dependsOn: z.array(z.string()).default([]),
        do: z.unknown().optional(),
        agent: z.string().nullable().default(null),
        task: z.string().optional(),
      }),
    )
    .min(1),
  results: z.record(z.string(), Result).default({}),
});

/** The state key of the pattern plan-execute, whose steps follow each other. */
const Planned = z.object({
  plan: z
    .array(
      z.object({
        description: z.string(),
        status: z.enum(["pending", "done", "failed"]),
        tries: z.number(),
        result: z.string().nullable(),
      }),
    )
    .min(1),
});

/** The state key of the pattern team. */
const Team = z.object({
  tasks: z
    .array(
      z.object({
        id: z.string(),
        subject: z.string(),
        blockedBy: z.array(z.string()).default([]),
        owner: z.string().nullable().default(null),
        status: z.enum(["pending", "in_progress", "completed", "failed"]),
        result: z.string().nullable().default(null),
        error: z.string().nullable().default(null),
      }),
    )
    .min(1),
});

/** The state key of every pattern whose agents call models. It has one entry for each call. */
const Ledger = z.object({
  ledger: z
    .array(
      z.object({
        agent: z.string(),
        task: z.string(),
        at: z.string(),
        elapsedMs: z.number().default(0),
        attempts: z.number().default(1),
        outcome: z.enum(["success", "failed", "timeout", "skipped"]),
        error: z.string().optional(),
      }),
    )
    .min(1),
});

/**
 * Returns the tasks in the state of a thread as a plan. The tasks are the pattern's steps, or else its list of tasks, or else the calls of
 * its agents. Returns undefined if the state contains none of these.
 */
export function planOfThread(threadId: string, type: string, values: unknown): ThreadPlan | undefined {
  const subtasks = subtasksIn(values);
  if (!subtasks) return undefined;
  const { task } = Object(values);
  const title = typeof task === "string" ? task : null;
  return { thread_id: threadId, type, title, ...stateOf(subtasks), subtasks };
}

function subtasksIn(values: unknown): PlanTask[] | undefined {
  const steps = Steps.safeParse(values).data;
  if (steps) return steps.steps.map((step) => ofStep(step, steps.results[step.id]));
  const planned = Planned.safeParse(values).data;
  if (planned) return planned.plan.map(ofPlanned);
  const team = Team.safeParse(values).data;
  if (team) return team.tasks.map(ofMember);
  return Ledger.safeParse(values).data?.ledger.map(ofCall);
}

const fresh = { agent: null, result: null, error: null, attempts: 0, metadata: {}, started_at: null, ended_at: null };

function ofStep(step: z.infer<typeof Steps>["steps"][number], result: Result | undefined): PlanTask {
  const { id, needs, dependsOn } = step;
  const { agent = step.agent, task = step.task } = Object(step.do);
  const named = {
    ...fresh,
    id,
    depends_on: needs ?? dependsOn,
    title: typeof task === "string" ? task : id,
    agent: typeof agent === "string" ? agent : null,
  };
  if (!result) return { ...named, status: "pending" };
  const { output, work, error, tries, startedAt, elapsedMs } = result;
  const ended = startedAt === null ? null : new Date(Date.parse(startedAt) + elapsedMs).toISOString();
  const outcome = { result: output ?? work ?? null, error, attempts: tries, started_at: startedAt };
  return { ...named, ...outcome, status: statusOfStep(result), ended_at: result.isOver ? ended : null };
}

function ofPlanned({ description, status, tries, result }: z.infer<typeof Planned>["plan"][number], index: number): PlanTask {
  const outcome = status === "failed" ? { error: result } : { result };
  return {
    ...fresh,
    ...outcome,
    id: String(index + 1),
    title: description,
    depends_on: index === 0 ? [] : [String(index)],
    status,
    attempts: tries,
  };
}

function statusOfStep({ status, isOver }: Result): TaskStatus {
  if (!isOver) return "running"; // the step is tried again, or waits for a person
  if (status === "success") return "done";
  return status === "skipped" || status === "cancelled" ? "skipped" : "failed";
}

const ofTeam = { pending: "pending", in_progress: "running", completed: "done", failed: "failed" } as const;

function ofMember({ id, subject, blockedBy, owner, status, result, error }: z.infer<typeof Team>["tasks"][number]): PlanTask {
  return { ...fresh, id, title: subject, depends_on: blockedBy, agent: owner, status: ofTeam[status], result, error };
}

const ofOutcome = { success: "done", failed: "failed", timeout: "failed", skipped: "skipped" } as const;

function ofCall(
  { agent, task, at, elapsedMs, attempts, outcome, error }: z.infer<typeof Ledger>["ledger"][number],
  index: number,
): PlanTask {
  const times = { started_at: at, ended_at: new Date(Date.parse(at) + elapsedMs).toISOString() };
  return {
    ...fresh,
    ...times,
    id: `call ${index + 1}`,
    title: task,
    depends_on: [],
    agent,
    status: ofOutcome[outcome],
    error: error ?? null,
    attempts,
  };
}
