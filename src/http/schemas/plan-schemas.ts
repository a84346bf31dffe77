import { z } from "zod";
import { PlanStatus, TaskStatus } from "../../plans/plan.ts";
import { Id, Json } from "../schemas.ts";

const planFields = {
  status: PlanStatus,
  progress: z.object({
    total: z.number().int(),
    ...{
      pending: z.number().int(),
      running: z.number().int(),
      done: z.number().int(),
      failed: z.number().int(),
      skipped: z.number().int(),
    },
    percent: z.number().int().describe("the share of subtasks that are done or skipped"),
  }),
};

export const PlanTask = z
  .object({
    id: z.string(),
    title: z.string(),
    depends_on: z.array(z.string()),
    status: TaskStatus,
    agent: z.string().nullable(),
    result: z.unknown(),
    error: z.string().nullable(),
    attempts: z.number().int(),
    metadata: Json,
    started_at: z.iso.datetime().nullable(),
    ended_at: z.iso.datetime().nullable(),
  })
  .meta({ id: "PlanTask" });

const derivedFields = {
  ...planFields,
  ready: z.array(z.string()).describe("subtasks that can begin now"),
  blocked: z.array(z.string()).describe("subtasks that cannot begin, because one before them failed"),
  aggregate: z.object({
    complete: z.boolean(),
    results: z.array(z.object({ id: z.string(), title: z.string(), agent: z.string().nullable(), result: z.unknown() })),
    failed: z.array(z.object({ id: z.string(), error: z.string().nullable() })),
    missing: z.array(z.string()).describe("subtasks that are neither done nor skipped"),
    summary: z.string(),
  }),
  subtasks: z.array(PlanTask),
};

export const ListedPlan = z
  .object({
    plan_id: Id,
    type: z.string(),
    title: z.string().nullable(),
    metadata: Json,
    owner: z.string().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    ...planFields,
  })
  .meta({ id: "ListedPlan" });

/** A plan with its subtasks and the fields that are derived from the subtasks. */
export const Plan = ListedPlan.extend(derivedFields).meta({ id: "Plan" });

/** The tasks that a pattern (one of our ready-made graphs) keeps in the state of a thread, in the form of a plan. */
export const ThreadPlan = z
  .object({ thread_id: Id, type: z.string(), title: z.string().nullable(), ...derivedFields })
  .meta({ id: "ThreadPlan" });
