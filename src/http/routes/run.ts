import type { FastifyReply, FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Scope } from "../../db/scope.ts";
import { getRun } from "../../runs/read.ts";
import { StreamMode } from "../../runs/run.ts";
import { readTimeline } from "../../runs/timeline.ts";
import { access } from "../admission/access.ts";
import { takePlaceAtRun } from "../admission/places.ts";
import { keepAsking, lineOf } from "../admission/recheck.ts";
import type { ApiDeps } from "../api-deps.ts";
import type { RequestOf } from "../route.ts";
import { deleteRun } from "../runs/delete-run.ts";
import type { StartDeps } from "../runs/start-run.ts";
import { answers, Flag, Id, OneOrMore, Run, RunParams, streams, Timeline, Unsettable } from "../schemas.ts";
import { cancelAbandoned, runOutput, streamRun } from "../sse/follow.ts";
import { cancellable } from "./cancellation.ts";

const JoinQuery = z.object({ cancel_on_disconnect: Flag.optional(), stream_mode: Unsettable(OneOrMore(StreamMode)) });
/**
 * The id of the last event that the client has received. Without this header, or with -1, the stream starts with the first event of the
 * log.
 */
const LastEvent = z.looseObject({
  "last-event-id": z
    .string()
    .regex(/^(-1?|\d*)$/, "expected the id of an event, or -1 for all of them")
    .transform((id) => (/\d/.test(id) ? Math.min(Number(id), 2 ** 31 - 1) : -1))
    .default(-1),
});

const getSchema = { params: RunParams, response: answers(Run) };
const timelineSchema = { params: RunParams, response: answers(Timeline) };
const deleteSchema = { params: RunParams };
const joinSchema = { params: RunParams, querystring: JoinQuery };
const streamSchema = { params: RunParams, querystring: JoinQuery, headers: LastEvent, response: streams };
const streamAloneSchema = { ...streamSchema, params: z.object({ runId: Id }) };

/**
 * The actions that auth must allow on routes on which clients follow a run or wait for it. Updating the thread is among them, because a
 * client with `cancel_on_disconnect` must be allowed to cancel the run.
 */
const joins = access("threads:read", "threads:update");

/** The routes for one existing run: read it, follow it, wait for it and delete it. */
export const singleRunRoutes: FastifyPluginAsyncZod<StartDeps> = async (app, deps) => {
  const path = "/threads/:threadId/runs/:runId";
  app.get(path, { schema: getSchema, config: access("threads:read") }, (request, reply) => get(deps, request, reply));
  app.get(`${path}/timeline`, { schema: timelineSchema, config: access("threads:read") }, (request, reply) =>
    timeline(deps, request, reply),
  );
  app.delete(path, { schema: deleteSchema, config: access("threads:delete") }, (request, reply) => remove(deps, request, reply));
  app.get(`${path}/join`, { schema: joinSchema, config: joins }, (request, reply) => join(deps, request, reply));
  app.get(`${path}/stream`, { schema: streamSchema, config: joins }, (request, reply) => stream(deps, request, reply));
  app.get("/runs/:runId/stream", { schema: streamAloneSchema, config: joins }, (request, reply) => streamAlone(deps, request, reply));
};

/** Returns two functions. `decide` asks auth which runs the caller may read, and `find` looks for the run among these runs. */
function readable({ pool }: ApiDeps, request: FastifyRequest, { runId, threadId }: { runId: string; threadId?: string }) {
  return {
    decide: async () => (await request.access("threads:read", { thread_id: threadId, run_id: runId })).scope,
    find: (scope: Scope) => getRun(pool, scope, threadId, runId),
  };
}

async function get(deps: ApiDeps, request: RequestOf<typeof getSchema>, reply: FastifyReply) {
  const run = readable(deps, request, request.params);
  return reply.send(await run.find(await run.decide()));
}

/** Sends the timeline of a run's attempts. Every caller who may read the run may also read its timeline. */
async function timeline({ pool, prices }: ApiDeps, request: RequestOf<typeof timelineSchema>, reply: FastifyReply) {
  const { runId, threadId } = request.params;
  const { scope } = await request.access("threads:read", { thread_id: threadId, run_id: runId });
  return reply.send(await readTimeline(pool, scope, { threadId, runId }, prices));
}

async function remove(deps: ApiDeps, request: RequestOf<typeof deleteSchema>, reply: FastifyReply) {
  const { threadId, runId } = request.params;
  const { scope } = await request.access("threads:delete", { run_id: runId, thread_id: threadId });
  await deleteRun(deps, scope, { threadId, runId });
  return reply.code(204).send();
}

interface Joined {
  runId: string;
  /** The thread of the run. Undefined if the request's path names only the run. */
  threadId?: string;
  /** True if the run is cancelled when the client disconnects. Undefined means false. */
  cancels: boolean | undefined;
}

/**
 * Finds a run for a client that follows it or waits for it. If the client wants the run to be cancelled when it disconnects, also returns
 * the scope of the runs that the client may cancel.
 */
async function findToJoin(deps: ApiDeps, request: FastifyRequest, { cancels, ...named }: Joined) {
  const followed = readable(deps, request, named);
  const scope = await followed.decide();
  const { thread_id: threadId } = await followed.find(scope);
  const { runId } = named;
  const place = { scope, followed, runId, threadId };
  if (!cancels) return { ...place, cancelScope: undefined };
  const cancelScope = await cancellable(request, { action: "interrupt", threadId, runIds: [runId] });
  await getRun(deps.pool, cancelScope, threadId, runId);
  return { ...place, cancelScope };
}

/** Waits for a run and sends its output. */
async function join(deps: StartDeps, request: RequestOf<typeof joinSchema>, reply: FastifyReply) {
  const place = await findToJoin(deps, request, { ...request.params, cancels: request.query.cancel_on_disconnect });
  const leave = takePlaceAtRun(deps, request, place.runId);
  const line = lineOf(reply);
  keepAsking(deps, request, place.followed, line);
  const output = await runOutput(deps, place, { signal: line.gone, request }).finally(leave);
  if (line.gone.aborted) await cancelAbandoned(deps, place);
  return reply.type("application/json; charset=utf-8").send(output ?? "null");
}

async function stream(deps: StartDeps, request: RequestOf<typeof streamSchema>, reply: FastifyReply) {
  const { threadId, runId } = request.params;
  const place = await findToJoin(deps, request, { runId, threadId, cancels: request.query.cancel_on_disconnect });
  reply.header("location", `/threads/${threadId}/runs/${runId}/stream`);
  await streamRun(deps, reply, { ...place, ...followOptions(request), leave: takePlaceAtRun(deps, request, runId) });
}

async function streamAlone(deps: StartDeps, request: RequestOf<typeof streamAloneSchema>, reply: FastifyReply) {
  const { runId } = request.params;
  const place = await findToJoin(deps, request, { runId, cancels: request.query.cancel_on_disconnect });
  reply.header("content-location", `/runs/${runId}`);
  reply.header("location", `/runs/${runId}/stream`);
  await streamRun(deps, reply, { ...place, ...followOptions(request), leave: takePlaceAtRun(deps, request, runId) });
}

function followOptions({ headers, query }: Pick<RequestOf<typeof streamSchema>, "headers" | "query">) {
  return {
    after: headers["last-event-id"],
    ...(query.stream_mode && { modes: query.stream_mode }),
  };
}
