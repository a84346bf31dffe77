import type { FastifyReply, FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { patchNewestMetadata } from "../../checkpoints/lifecycle.ts";
import type { Scope } from "../../db/scope.ts";
import { transaction } from "../../db/sql.ts";
import { threadNotFound, threadWithoutState } from "../../errors.ts";
import { type CheckpointRef, type HistoryQuery, readHistory, readState, updateState } from "../../state/state.ts";
import { lockThread } from "../../threads/threads.ts";
import { access } from "../access.ts";
import type { ApiDeps } from "../api-deps.ts";
import { mostBytes, sendTexts } from "../lists.ts";
import { holdMemory, lightBytes } from "../memory.ts";
import { answers, Checkpoint, Flag, Json, Limit, Text, ThreadParams, ThreadState } from "../schemas.ts";

/** A checkpoint by its id, by an object that holds it, or by a config that does: clients send all three. */
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

const reads = access("threads:read");
const updates = access("threads:update");

const readable = async (request: FastifyRequest, threadId: string): Promise<Scope> =>
  (await request.access("threads:read", { thread_id: threadId })).scope;

export const stateRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, { pool, registry, memory }) => {
  /** Sends as many states as one answer may hold. If there are more, a header says before which checkpoint they are. */
  async function sendHistory(reply: FastifyReply, scope: Scope, threadId: string, query: HistoryQuery): Promise<FastifyReply> {
    const texts: string[] = [];
    let size = 0;
    let last: string | undefined;
    for await (const state of readHistory(pool, scope, registry, threadId, query)) {
      const text = JSON.stringify(state);
      if (size <= lightBytes && size + text.length > lightBytes) await holdMemory(memory, reply);
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

  const Subgraphs = z.object({ subgraphs: Flag.optional() });

  app.get(
    "/threads/:threadId/state",
    { schema: { params: ThreadParams, querystring: Subgraphs, response: answers(ThreadState) }, config: reads },
    async (request, reply) => {
      const { threadId } = request.params;
      return reply.send(await readState(pool, await readable(request, threadId), registry, threadId, request.query));
    },
  );

  app.get(
    "/threads/:threadId/state/:checkpointId",
    {
      schema: { params: ThreadParams.extend({ checkpointId: Text }), querystring: Subgraphs, response: answers(ThreadState) },
      config: reads,
    },
    async (request, reply) => {
      const { threadId, checkpointId } = request.params;
      const at = { ...request.query, checkpoint: { checkpoint_id: checkpointId } };
      return reply.send(await readState(pool, await readable(request, threadId), registry, threadId, at));
    },
  );

  app.post(
    "/threads/:threadId/state/checkpoint",
    {
      schema: {
        params: ThreadParams,
        body: z.object({ checkpoint: Checkpoint, subgraphs: Flag.nullish() }),
        response: answers(ThreadState),
      },
      config: reads,
    },
    async (request, reply) => {
      const { checkpoint, subgraphs } = request.body;
      const { threadId } = request.params;
      const scope = await readable(request, threadId);
      return reply.send(await readState(pool, scope, registry, threadId, { checkpoint, subgraphs: subgraphs ?? false }));
    },
  );

  app.post("/threads/:threadId/state", { schema: { params: ThreadParams, body: StatePatch }, config: updates }, async (request, reply) => {
    const { params, body } = request;
    const { scope } = await request.access("threads:update", { thread_id: params.threadId });
    const update = { values: body.values ?? null, ...(body.as_node && { asNode: body.as_node }) };
    const at: CheckpointRef = { ...body.checkpoint, ...(body.checkpoint_id && { checkpoint_id: body.checkpoint_id }) };
    const updated = await transaction(pool, (tx) => updateState(tx, scope, registry, params.threadId, [[update]], at));
    const { thread_id, checkpoint_ns, checkpoint_id } = updated ?? {};
    return reply.send({ checkpoint: { thread_id, checkpoint_ns, checkpoint_id } });
  });

  app.patch(
    "/threads/:threadId/state",
    { schema: { params: ThreadParams, body: z.object({ metadata: Json }) }, config: updates },
    async (request, reply) => {
      const { threadId } = request.params;
      const { scope } = await request.access("threads:update", { thread_id: threadId });
      await transaction(pool, async (tx) => {
        if (!(await lockThread(tx, scope, threadId))) throw threadNotFound(threadId);
        if (!(await patchNewestMetadata(tx, threadId, request.body.metadata))) throw threadWithoutState(threadId);
      });
      return reply.code(204).send();
    },
  );

  app.get(
    "/threads/:threadId/history",
    {
      schema: {
        params: ThreadParams,
        querystring: z.object({ limit: Limit, before: Text.optional() }),
        response: answers(z.array(ThreadState)),
      },
      config: reads,
    },
    async (request, reply) => {
      const { threadId } = request.params;
      return sendHistory(reply, await readable(request, threadId), threadId, request.query);
    },
  );

  app.post(
    "/threads/:threadId/history",
    {
      schema: {
        params: ThreadParams,
        body: z.object({ limit: Limit, before: Before.nullish(), metadata: Json.nullish(), checkpoint: Checkpoint.nullish() }),
        response: answers(z.array(ThreadState)),
      },
      config: reads,
    },
    async (request, reply) => {
      const { limit, before, metadata, checkpoint } = request.body;
      const { threadId } = request.params;
      const query = { limit, ...(before && { before }), ...(metadata && { metadata }), ...(checkpoint && { checkpoint }) };
      return sendHistory(reply, await readable(request, threadId), threadId, query);
    },
  );
};
