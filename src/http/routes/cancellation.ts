import type { FastifyReply, FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Scope } from "../../db/scope.ts";
import { ServiceError } from "../../errors.ts";
import { findOpenRuns } from "../../runs/cancel.ts";
import { getRun, hasAnyRun } from "../../runs/read.ts";
import { CancelAction } from "../../runs/run.ts";
import { getThread } from "../../threads/threads.ts";
import { access } from "../admission/access.ts";
import { takePlaceAtRun } from "../admission/places.ts";
import { keepAsking, lineOf } from "../admission/recheck.ts";
import type { ApiDeps } from "../api-deps.ts";
import type { RequestOf } from "../route.ts";
import { cancelRuns } from "../runs/cancel-runs.ts";
import type { StartDeps } from "../runs/start-run.ts";
import { Flag, Id, RunParams } from "../schemas.ts";
import { runOutput } from "../sse/follow.ts";

const Action = CancelAction.default("interrupt");

const cancelSchema = { params: RunParams, querystring: z.object({ wait: Flag.optional(), action: Action }) };
const bulkSchema = {
  querystring: z.object({ action: Action }),
  body: z.object({
    status: z.enum(["pending", "running", "all"]).nullish(),
    thread_id: Id.nullish(),
    run_ids: z.array(Id).min(1).max(1_000).nullish(),
  }),
};

const config = access("threads:update");

/** Cancels one run, or many runs in one request. */
export const cancellationRoutes: FastifyPluginAsyncZod<StartDeps> = async (app, deps) => {
  app.post("/threads/:threadId/runs/:runId/cancel", { schema: cancelSchema, config }, (request, reply) => cancel(deps, request, reply));
  app.post("/runs/cancel", { schema: bulkSchema, config }, (request, reply) => cancelMany(deps, request, reply));
};

interface Cancellation {
  action: CancelAction;
  /** The thread whose runs are cancelled. Undefined for runs of all threads. */
  threadId: string | undefined;
  /** The runs to cancel. Undefined for all open runs. */
  runIds: string[] | undefined;
}

/** Returns the scope of the runs that the caller may cancel with this action. */
export async function cancellable(request: FastifyRequest, { action, threadId, runIds }: Cancellation): Promise<Scope> {
  const metadata = { run_ids: runIds, status: "pending" };
  return (await request.access("threads:update", { thread_id: threadId, action, metadata })).scope;
}

/**
 * Cancels a run. With `wait`, responds only when the run has ended. If too many clients are already waiting, the request is refused, and
 * the run is not cancelled.
 */
async function cancel(deps: StartDeps, request: RequestOf<typeof cancelSchema>, reply: FastifyReply) {
  const { threadId, runId } = request.params;
  const { action, wait } = request.query;
  const decide = () => cancellable(request, { action, threadId, runIds: [runId] });
  const scope = await decide();
  await getRun(deps.pool, scope, threadId, runId);
  const leave = wait ? takePlaceAtRun(deps, request, runId) : () => {};
  try {
    await cancelRuns(deps, scope, { threadId, runIds: [runId], action });
    if (!wait) return reply.code(202).send();
    const line = lineOf(reply);
    const find = (visible: Scope) => getThread(deps.pool, visible, threadId); // uses the thread, because a rollback deletes the run
    keepAsking(deps, request, { decide, find }, line);
    await runOutput(deps, { scope, runId, threadId }, { signal: line.gone });
    return reply.code(204).send();
  } finally {
    leave();
  }
}

/**
 * Cancels the named runs of a thread, or all runs with a status. As on the official server, unknown ids are ignored if at least one id is
 * known.
 */
async function cancelMany(deps: ApiDeps, request: RequestOf<typeof bulkSchema>, reply: FastifyReply) {
  const { status, thread_id, run_ids } = request.body;
  const { action } = request.query;
  const named = thread_id && run_ids ? { threadId: thread_id, runIds: run_ids } : undefined;
  const isOneWay = status ? !thread_id && !run_ids : named !== undefined;
  if (!isOneWay) throw new ServiceError("invalid", "Give either status, or thread_id and run_ids.");
  const scope = await cancellable(request, { action, threadId: named?.threadId, runIds: named?.runIds });
  if (named && !(await hasAnyRun(deps.pool, scope, named.threadId, named.runIds)))
    throw new ServiceError("not_found", "No runs found to cancel.");
  const open = await findOpenRuns(deps.pool, scope, { status: status ?? "all", ...named });
  for (const [threadId, runs] of Map.groupBy(open, (run) => run.threadId)) {
    const runIds = runs.map((run) => run.runId);
    await cancelRuns(deps, scope, { threadId, runIds, action });
  }
  return reply.code(204).send();
}
