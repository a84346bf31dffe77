import type { FastifyReply } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { ServiceError } from "../../errors.ts";
import { PlanCreate, TaskChange, TaskId } from "../../plans/plan.ts";
import { createPlan, deletePlan, getPlan, listPlans } from "../../plans/plans.ts";
import { planOfThread } from "../../plans/thread-plan.ts";
import { updateTask } from "../../plans/update-task.ts";
import { readState } from "../../state/state.ts";
import { getThread } from "../../threads/threads.ts";
import { access, alreadyDecided } from "../admission/access.ts";
import { sendPage } from "../answers/lists.ts";
import type { ApiDeps } from "../api-deps.ts";
import { readWithin } from "../memory.ts";
import type { RequestOf } from "../route.ts";
import { ListedPlan, Plan, PlanTask, ThreadPlan } from "../schemas/plan-schemas.ts";
import { answers, Flag, Id, Limit, Offset, Text, ThreadParams } from "../schemas.ts";

const PlanParams = z.object({ planId: Id });

const createSchema = { body: PlanCreate, response: answers(Plan) };
const listSchema = {
  querystring: z.object({
    active: z
      .preprocess((given) => (given === "" ? "true" : given), Flag.optional())
      .describe("true: only plans with a subtask that is pending or running. false: only all others"),
    type: Text.optional(),
    limit: Limit,
    offset: Offset,
  }),
  response: answers(z.array(ListedPlan)),
};
const getSchema = { params: PlanParams, response: answers(Plan) };
const taskSchema = { params: PlanParams.extend({ taskId: TaskId }), body: TaskChange, response: answers(PlanTask) };
const deleteSchema = { params: PlanParams };
const threadSchema = { params: ThreadParams, response: answers(ThreadPlan) };

/**
 * Registers plans of agents outside the service, and changes their subtasks. Also shows the tasks in a thread's state in the form of a
 * plan.
 */
export const planRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, deps) => {
  const { pool } = deps;
  app.post("/plans", { schema: createSchema, config: access("threads:create") }, (request, reply) => create(deps, request, reply));
  app.get("/plans", { schema: listSchema, config: access("threads:search") }, (request, reply) => list(deps, request, reply));
  app.get("/plans/:planId", { schema: getSchema, config: access("threads:read") }, async (request, reply) => {
    const { planId } = request.params;
    const { scope } = await request.access("threads:read", { metadata: { plan_id: planId } });
    return reply.send(await getPlan(pool, scope, planId));
  });
  app.patch("/plans/:planId/tasks/:taskId", { schema: taskSchema, config: access("threads:update") }, async (request, reply) => {
    const { scope } = await request.access("threads:update", { metadata: { plan_id: request.params.planId } });
    return reply.send(await updateTask(pool, scope, request.params, request.body));
  });
  app.delete("/plans/:planId", { schema: deleteSchema, config: access("threads:delete") }, async (request, reply) => {
    const { planId } = request.params;
    const { scope } = await request.access("threads:delete", { metadata: { plan_id: planId } });
    await deletePlan(pool, scope, planId);
    return reply.code(204).send();
  });
  app.get("/threads/:threadId/plan", { schema: threadSchema, config: access("threads:read") }, (request, reply) =>
    getOfThread(deps, request, reply),
  );
};

async function create({ pool }: ApiDeps, request: RequestOf<typeof createSchema>, reply: FastifyReply) {
  const { body } = request;
  const { value } = await request.access("threads:create", { metadata: body.metadata ?? {}, if_exists: "raise" });
  const planId = await createPlan(pool, { ...body, metadata: value.metadata }, request.user?.identity ?? null);
  return reply.send(await getPlan(pool, alreadyDecided, planId));
}

async function list({ pool, memory }: ApiDeps, request: RequestOf<typeof listSchema>, reply: FastifyReply) {
  const { scope, value: query } = await request.access("threads:search", { ...request.query });
  return sendPage(reply, await readWithin(memory, reply, (bytes) => listPlans(pool, scope, { ...query, bytes })), query);
}

/** Sends the tasks in a thread's state in the form of a plan. Only our ready-made graphs, the patterns, keep tasks in this form. */
async function getOfThread({ pool, registry }: ApiDeps, request: RequestOf<typeof threadSchema>, reply: FastifyReply) {
  const { threadId } = request.params;
  const { scope } = await request.access("threads:read", { thread_id: threadId });
  const { metadata } = await getThread(pool, scope, threadId);
  const { values } = await readState(pool, scope, registry, threadId);
  const plan = planOfThread(threadId, String(metadata.graph_id ?? "thread"), values);
  if (!plan) throw new ServiceError("not_found", "The thread has no plan: its state has no steps, tasks or ledger of a pattern.");
  return reply.send(plan);
}
