import type { FastifyReply, FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { patchNewestMetadata } from "../../checkpoints/lifecycle.ts";
import type { Scope } from "../../db/scope.ts";
import { transaction } from "../../db/sql.ts";
import { threadNotFound, threadWithoutState } from "../../errors.ts";
import { type CheckpointRef, type HistoryQuery, readHistory, readState, updateState } from "../../state/state.ts";
import { lockThread } from "../../threads/threads.ts";
import { access } from "../admission/access.ts";
import { mostBytes, sendTexts } from "../answers/lists.ts";
import type { ApiDeps } from "../api-deps.ts";
import { holdMemory, lightBytes } from "../memory.ts";
import type { RequestOf } from "../route.ts";
import { answers, Checkpoint, Flag, Json, Limit, Text, ThreadParams, ThreadState } from "../schemas.ts";

/**
 * The id of a checkpoint before which the history starts. The history contains only states that are older than this checkpoint. Clients
 * send the id itself, or an object that contains it: a checkpoint or a config.
 */
const Before = z.union([
  Text,
  z.object({ configurable: z.object({ checkpoint_id: Text }) }).transform(({ configurable }) => configurable.checkpoint_id),
  z.object({ checkpoint_id: Text }).transform((checkpoint) => checkpoint.checkpoint_id),
]);

const StatePatch = z.object({
  values: z.union([Json, z.array(z.unknown())]).nullish(),
  as_node: Text.nullish(),
  checkpoint: Checkpoint.nullish(),
  checkpoint_id: Text.nullish(),
});

const Subgraphs = z.object({ subgraphs: Flag.optional() });

const stateSchema = { params: ThreadParams, querystring: Subgraphs, response: answers(ThreadState) };
const stateAtSchema = { ...stateSchema, params: ThreadParams.extend({ checkpointId: Text }) };
const checkpointSchema = {
  params: ThreadParams,
  body: z.object({ checkpoint: Checkpoint, subgraphs: Flag.nullish() }),
  response: answers(ThreadState),
};
const updateSchema = { params: ThreadParams, body: StatePatch };
const metadataSchema = { params: ThreadParams, body: z.object({ metadata: Json }) };
const historySchema = {
  params: ThreadParams,
  querystring: z.object({ limit: Limit, before: Text.optional() }),
  response: answers(z.array(ThreadState)),
};
const historySearchSchema = {
  params: ThreadParams,
  body: z.object({ limit: Limit, before: Before.nullish(), metadata: Json.nullish(), checkpoint: Checkpoint.nullish() }),
  response: answers(z.array(ThreadState)),
};

const reads = access("threads:read");
const updates = access("threads:update");

/** Reads and updates the state of a thread, and lists its history. */
export const stateRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, deps) => {
  app.get("/threads/:threadId/state", { schema: stateSchema, config: reads }, (request, reply) => getState(deps, request, reply));
  app.get("/threads/:threadId/state/:checkpointId", { schema: stateAtSchema, config: reads }, (request, reply) =>
    getStateAt(deps, request, reply),
  );
  app.post("/threads/:threadId/state/checkpoint", { schema: checkpointSchema, config: reads }, (request, reply) =>
    getCheckpoint(deps, request, reply),
  );
  app.post("/threads/:threadId/state", { schema: updateSchema, config: updates }, (request, reply) => update(deps, request, reply));
  app.patch("/threads/:threadId/state", { schema: metadataSchema, config: updates }, (request, reply) =>
    patchMetadata(deps, request, reply),
  );
  app.get("/threads/:threadId/history", { schema: historySchema, config: reads }, (request, reply) => listHistory(deps, request, reply));
  app.post("/threads/:threadId/history", { schema: historySearchSchema, config: reads }, (request, reply) =>
    searchHistory(deps, request, reply),
  );
};

const readable = async (request: FastifyRequest, threadId: string): Promise<Scope> =>
  (await request.access("threads:read", { thread_id: threadId })).scope;

async function getState({ pool, registry }: ApiDeps, request: RequestOf<typeof stateSchema>, reply: FastifyReply) {
  const { threadId } = request.params;
  return reply.send(await readState(pool, await readable(request, threadId), registry, threadId, request.query));
}

async function getStateAt({ pool, registry }: ApiDeps, request: RequestOf<typeof stateAtSchema>, reply: FastifyReply) {
  const { threadId, checkpointId } = request.params;
  const at = { ...request.query, checkpoint: { checkpoint_id: checkpointId } };
  return reply.send(await readState(pool, await readable(request, threadId), registry, threadId, at));
}

async function getCheckpoint({ pool, registry }: ApiDeps, request: RequestOf<typeof checkpointSchema>, reply: FastifyReply) {
  const { checkpoint, subgraphs } = request.body;
  const { threadId } = request.params;
  const scope = await readable(request, threadId);
  return reply.send(await readState(pool, scope, registry, threadId, { checkpoint, subgraphs: subgraphs ?? false }));
}

async function update({ pool, registry }: ApiDeps, request: RequestOf<typeof updateSchema>, reply: FastifyReply) {
  const { params, body } = request;
  const { scope } = await request.access("threads:update", { thread_id: params.threadId });
  const values = { values: body.values ?? null, ...(body.as_node && { asNode: body.as_node }) };
  const at: CheckpointRef = { ...body.checkpoint, ...(body.checkpoint_id && { checkpoint_id: body.checkpoint_id }) };
  const updated = await transaction(pool, (tx) => updateState(tx, scope, registry, params.threadId, [[values]], at));
  const { thread_id, checkpoint_ns, checkpoint_id } = updated ?? {};
  return reply.send({ checkpoint: { thread_id, checkpoint_ns, checkpoint_id } });
}

async function patchMetadata({ pool }: ApiDeps, request: RequestOf<typeof metadataSchema>, reply: FastifyReply) {
  const { threadId } = request.params;
  const { scope } = await request.access("threads:update", { thread_id: threadId });
  await transaction(pool, async (tx) => {
    if (!(await lockThread(tx, scope, threadId))) throw threadNotFound(threadId);
    if (!(await patchNewestMetadata(tx, threadId, request.body.metadata))) throw threadWithoutState(threadId);
  });
  return reply.code(204).send();
}

async function listHistory(deps: ApiDeps, request: RequestOf<typeof historySchema>, reply: FastifyReply) {
  const { threadId } = request.params;
  return sendHistory(deps, reply, { scope: await readable(request, threadId), threadId, query: request.query });
}

async function searchHistory(deps: ApiDeps, request: RequestOf<typeof historySearchSchema>, reply: FastifyReply) {
  const { limit, before, metadata, checkpoint } = request.body;
  const { threadId } = request.params;
  const query = { limit, ...(before && { before }), ...(metadata && { metadata }), ...(checkpoint && { checkpoint }) };
  return sendHistory(deps, reply, { scope: await readable(request, threadId), threadId, query });
}

interface History {
  scope: Scope;
  threadId: string;
  query: HistoryQuery;
}

/** Sends as many states as fit into one response. If further states follow, a header names the checkpoint from which to continue. */
async function sendHistory(deps: ApiDeps, reply: FastifyReply, { scope, threadId, query }: History): Promise<FastifyReply> {
  const texts: string[] = [];
  let size = 0;
  let last: string | undefined;
  for await (const state of readHistory(deps.pool, scope, deps.registry, threadId, query)) {
    const text = JSON.stringify(state);
    if (size <= lightBytes && size + text.length > lightBytes) await holdMemory(deps.memory, reply);
    size += text.length;
    if (size > mostBytes && last !== undefined) {
      reply.header("x-pagination-next", last);
      break;
    }
    texts.push(text);
    last = state.checkpoint?.checkpoint_id;
  }
  return sendTexts(reply, texts);
}
