import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { deleteRunCheckpoints } from "../../checkpoints/lifecycle.ts";
import { transaction } from "../../db/sql.ts";
import { runNotFound, ServiceError } from "../../errors.ts";
import { runTopic } from "../../events/feed.ts";
import { findOpenRuns } from "../../runs/cancel.ts";
import { deleteRunRow } from "../../runs/end.ts";
import { getRun } from "../../runs/read.ts";
import { cancelTopic, claimTopic, endTopic } from "../../runs/run.ts";
import { refreshThread } from "../../state/state.ts";
import { lockThread } from "../../threads/threads.ts";
import { cancelRuns } from "../cancel.ts";
import { runOutput, type StreamCounts, streamRun } from "../follow.ts";
import type { ApiRooms } from "../rooms.ts";
import { answers, Flag, Id, OneOrMore, Run, RunParams, StreamMode, streams } from "../schemas.ts";

const Action = z.enum(["interrupt", "rollback"]).default("interrupt");
const JoinQuery = z.object({ cancel_on_disconnect: Flag.optional(), stream_mode: OneOrMore(StreamMode).optional() });
/** Where the client stopped. None means from the start: the log is kept, so nobody who comes late has to miss anything. */
const LastEvent = z.looseObject({
  "last-event-id": z
    .string()
    .regex(/^(-1?|\d*)$/, "expected the id of an event, or -1 for all of them")
    .transform((id) => (/\d/.test(id) ? Math.min(Number(id), 2 ** 31 - 1) : -1))
    .default(-1),
});

/** What can be done with a run that exists: read it, follow it, wait for it, cancel it, delete it. */
export const singleRunRoutes: FastifyPluginAsyncZod<ApiRooms & { counts: StreamCounts }> = async (app, rooms) => {
  const { pool, registry, wakeups, counts } = rooms;

  app.get("/threads/:threadId/runs/:runId", { schema: { params: RunParams, response: answers(Run) } }, async ({ params }, reply) =>
    reply.send(await getRun(pool, params.threadId, params.runId)),
  );

  app.delete("/threads/:threadId/runs/:runId", { schema: { params: RunParams } }, async ({ params: { threadId, runId } }, reply) => {
    await transaction(pool, async (tx) => {
      await lockThread(tx, threadId);
      if (!(await deleteRunRow(tx, threadId, runId))) throw runNotFound();
      await deleteRunCheckpoints(tx, threadId, runId);
      await refreshThread(tx, registry, threadId);
    });
    wakeups.tell(cancelTopic, claimTopic, endTopic(runId), runTopic(runId));
    return reply.code(204).send();
  });

  app.get(
    "/threads/:threadId/runs/:runId/join",
    { schema: { params: RunParams, querystring: JoinQuery } },
    async ({ params: { threadId, runId }, query, raw }, reply) => {
      await getRun(pool, threadId, runId);
      const gone = new AbortController();
      raw.on("close", () => gone.abort());
      const output = await runOutput(rooms, runId, threadId, gone.signal);
      if (gone.signal.aborted && query.cancel_on_disconnect) await cancelRuns(rooms, threadId, "interrupt", [runId]);
      return reply.type("application/json; charset=utf-8").send(JSON.stringify(output ?? null));
    },
  );

  app.get(
    "/threads/:threadId/runs/:runId/stream",
    { schema: { params: RunParams, querystring: JoinQuery, headers: LastEvent, response: streams } },
    async (request, reply) => {
      const { threadId, runId } = request.params;
      await getRun(pool, threadId, runId);
      reply.header("location", `/threads/${threadId}/runs/${runId}/stream`);
      await streamRun(rooms, counts, reply, { runId, threadId, ...followOptions(request) });
    },
  );

  app.get(
    "/runs/:runId/stream",
    { schema: { params: z.object({ runId: Id }), querystring: JoinQuery, headers: LastEvent, response: streams } },
    async (request, reply) => {
      const { runId } = request.params;
      const { thread_id: threadId } = await getRun(pool, undefined, runId);
      reply.header("content-location", `/runs/${runId}`);
      reply.header("location", `/runs/${runId}/stream`);
      await streamRun(rooms, counts, reply, { runId, threadId, ...followOptions(request) });
    },
  );

  app.post(
    "/threads/:threadId/runs/:runId/cancel",
    { schema: { params: RunParams, querystring: z.object({ wait: Flag.optional(), action: Action }) } },
    async ({ params: { threadId, runId }, query, raw }, reply) => {
      await getRun(pool, threadId, runId);
      await cancelRuns(rooms, threadId, query.action, [runId]);
      if (!query.wait) return reply.code(202).send();
      const gone = new AbortController();
      raw.on("close", () => gone.abort());
      await runOutput(rooms, runId, threadId, gone.signal);
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
    },
    async ({ query, body: { status, thread_id, run_ids } }, reply) => {
      const named = Boolean(thread_id && run_ids);
      if (named === Boolean(status)) throw new ServiceError("invalid", "Give either status, or thread_id and run_ids.");
      for (const runId of named ? (run_ids ?? []) : []) await getRun(pool, thread_id ?? undefined, runId);
      const open = await findOpenRuns(pool, {
        status: status ?? "all",
        ...(thread_id && { threadId: thread_id }),
        ...(run_ids && { runIds: run_ids }),
      });
      const byThread = Map.groupBy(open, (run) => run.threadId);
      for (const [threadId, runs] of byThread) {
        await cancelRuns(
          rooms,
          threadId,
          query.action,
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
    cancelOnDisconnect: query.cancel_on_disconnect ?? false,
    ...(query.stream_mode && { modes: query.stream_mode }),
  };
}
