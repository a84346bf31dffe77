import type { FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { deleteRunCheckpoints } from "../../checkpoints/lifecycle.ts";
import type { Scope } from "../../db/scope.ts";
import { transaction } from "../../db/sql.ts";
import { runNotFound, ServiceError } from "../../errors.ts";
import { runTopic } from "../../events/feed.ts";
import { findOpenRuns } from "../../runs/cancel.ts";
import { deleteRunRow } from "../../runs/end.ts";
import { getRun, isThreadBusy } from "../../runs/read.ts";
import { CancelAction, cancelTopic, claimTopic, endTopic, StreamMode } from "../../runs/run.ts";
import { refreshThread } from "../../state/state.ts";
import { lockThread } from "../../threads/threads.ts";
import { access } from "../access.ts";
import type { ApiDeps } from "../api-deps.ts";
import { cancelRuns } from "../cancel.ts";
import { cancelAbandoned, runOutput, streamRun } from "../follow.ts";
import { type StreamCounts, takePlace } from "../places.ts";
import { keepAsking, lineOf } from "../recheck.ts";
import { answers, Flag, Id, OneOrMore, Run, RunParams, streams, Unsettable } from "../schemas.ts";

const Action = CancelAction.default("interrupt");
const JoinQuery = z.object({ cancel_on_disconnect: Flag.optional(), stream_mode: Unsettable(OneOrMore(StreamMode)) });
/** Where the client stopped. None means from the start: the log is kept, so nobody who comes late has to miss anything. */
const LastEvent = z.looseObject({
  "last-event-id": z
    .string()
    .regex(/^(-1?|\d*)$/, "expected the id of an event, or -1 for all of them")
    .transform((id) => (/\d/.test(id) ? Math.min(Number(id), 2 ** 31 - 1) : -1))
    .default(-1),
});

const reads = access("threads:read");
const updates = access("threads:update");
/** Who joins a run to cancel it by leaving is asked whether they may cancel it. */
const joins = access("threads:read", "threads:update");

async function cancellable(
  request: FastifyRequest,
  action: CancelAction,
  threadId: string | undefined,
  runIds: string[] | undefined,
): Promise<Scope> {
  const metadata = { run_ids: runIds, status: "pending" };
  return (await request.access("threads:update", { thread_id: threadId, action, metadata })).scope;
}

/** What can be done with a run that exists: read it, follow it, wait for it, cancel it, delete it. */
export const singleRunRoutes: FastifyPluginAsyncZod<ApiDeps & { counts: StreamCounts }> = async (app, deps) => {
  const { pool, registry, wakeups, counts } = deps;

  /** A run as its caller may read it. */
  const readable = (request: FastifyRequest, runId: string, threadId?: string) => ({
    decide: async () => (await request.access("threads:read", { thread_id: threadId, run_id: runId })).scope,
    find: (scope: Scope) => getRun(pool, scope, threadId, runId),
  });

  const enter = ({ user }: FastifyRequest, runId: string) =>
    takePlace(counts, { of: "run", id: runId, user: user?.identity }, deps.settings);

  /** Finds a run for whoever joins it, and says in which scope it is cancelled when they leave. */
  async function findToJoin(request: FastifyRequest, cancels: boolean | undefined, runId: string, givenThreadId?: string) {
    const followed = readable(request, runId, givenThreadId);
    const scope = await followed.decide();
    const { thread_id: threadId } = await followed.find(scope);
    const place = { scope, followed, runId, threadId };
    if (!cancels) return { ...place, cancelScope: undefined };
    const cancelScope = await cancellable(request, "interrupt", threadId, [runId]);
    await getRun(pool, cancelScope, threadId, runId);
    return { ...place, cancelScope };
  }

  app.get(
    "/threads/:threadId/runs/:runId",
    { schema: { params: RunParams, response: answers(Run) }, config: reads },
    async (request, reply) => {
      const run = readable(request, request.params.runId, request.params.threadId);
      return reply.send(await run.find(await run.decide()));
    },
  );

  const deletes = { schema: { params: RunParams }, config: access("threads:delete") };
  app.delete("/threads/:threadId/runs/:runId", deletes, async (request, reply) => {
    const { threadId, runId } = request.params;
    const { scope } = await request.access("threads:delete", { run_id: runId, thread_id: threadId });
    await transaction(pool, async (tx) => {
      if (!(await lockThread(tx, scope, threadId))) throw runNotFound();
      if (!(await deleteRunRow(tx, threadId, runId))) throw runNotFound();
      await deleteRunCheckpoints(tx, threadId, runId, await isThreadBusy(tx, threadId));
      await refreshThread(tx, registry, threadId);
    });
    wakeups.tell(cancelTopic, claimTopic, endTopic(runId), runTopic(runId));
    return reply.code(204).send();
  });

  app.get(
    "/threads/:threadId/runs/:runId/join",
    { schema: { params: RunParams, querystring: JoinQuery }, config: joins },
    async (request, reply) => {
      const { threadId, runId } = request.params;
      const place = await findToJoin(request, request.query.cancel_on_disconnect, runId, threadId);
      const line = lineOf(reply);
      keepAsking(deps, request, place.followed, line);
      const output = await runOutput(deps, place.scope, place, line.gone);
      if (line.gone.aborted) await cancelAbandoned(deps, place);
      return reply.type("application/json; charset=utf-8").send(output ?? "null");
    },
  );

  app.get(
    "/threads/:threadId/runs/:runId/stream",
    { schema: { params: RunParams, querystring: JoinQuery, headers: LastEvent, response: streams }, config: joins },
    async (request, reply) => {
      const { threadId, runId } = request.params;
      const place = await findToJoin(request, request.query.cancel_on_disconnect, runId, threadId);
      reply.header("location", `/threads/${threadId}/runs/${runId}/stream`);
      await streamRun(deps, enter(request, runId), reply, { ...place, ...followOptions(request) });
    },
  );

  app.get(
    "/runs/:runId/stream",
    { schema: { params: z.object({ runId: Id }), querystring: JoinQuery, headers: LastEvent, response: streams }, config: joins },
    async (request, reply) => {
      const { runId } = request.params;
      const place = await findToJoin(request, request.query.cancel_on_disconnect, runId);
      reply.header("content-location", `/runs/${runId}`);
      reply.header("location", `/runs/${runId}/stream`);
      await streamRun(deps, enter(request, runId), reply, { ...place, ...followOptions(request) });
    },
  );

  app.post(
    "/threads/:threadId/runs/:runId/cancel",
    { schema: { params: RunParams, querystring: z.object({ wait: Flag.optional(), action: Action }) }, config: updates },
    async (request, reply) => {
      const { threadId, runId } = request.params;
      const { query, raw } = request;
      const scope = await cancellable(request, query.action, threadId, [runId]);
      await getRun(pool, scope, threadId, runId);
      await cancelRuns(deps, scope, threadId, query.action, [runId]);
      if (!query.wait) return reply.code(202).send();
      const gone = new AbortController();
      raw.on("close", () => gone.abort());
      await runOutput(deps, scope, { runId, threadId }, gone.signal);
      return reply.code(204).send();
    },
  );

  app.post(
    "/runs/cancel",
    {
      schema: {
        querystring: z.object({ action: Action }),
        body: z.object({
          status: z.enum(["pending", "running", "all"]).nullish(),
          thread_id: Id.nullish(),
          run_ids: z.array(Id).min(1).max(1_000).nullish(),
        }),
      },
      config: updates,
    },
    async (request, reply) => {
      const { status, thread_id, run_ids } = request.body;
      const { action } = request.query;
      const named = Boolean(thread_id && run_ids);
      if (named === Boolean(status)) throw new ServiceError("invalid", "Give either status, or thread_id and run_ids.");
      const scope = await cancellable(request, action, thread_id ?? undefined, run_ids ?? undefined);
      for (const runId of named ? (run_ids ?? []) : []) await getRun(pool, scope, thread_id ?? undefined, runId);
      const open = await findOpenRuns(pool, scope, {
        status: status ?? "all",
        ...(thread_id && { threadId: thread_id }),
        ...(run_ids && { runIds: run_ids }),
      });
      const byThread = Map.groupBy(open, (run) => run.threadId);
      for (const [threadId, runs] of byThread) {
        await cancelRuns(
          deps,
          scope,
          threadId,
          action,
          runs.map(({ runId }) => runId),
        );
      }
      return reply.code(204).send();
    },
  );
};

function followOptions({ headers, query }: { headers: z.output<typeof LastEvent>; query: z.output<typeof JoinQuery> }) {
  return {
    after: headers["last-event-id"],
    ...(query.stream_mode && { modes: query.stream_mode }),
  };
}
