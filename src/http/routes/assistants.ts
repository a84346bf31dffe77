import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import {
  countAssistants,
  createAssistant,
  deleteAssistant,
  findAssistant,
  getAssistant,
  listVersions,
  searchAssistants,
  setLatestVersion,
  toAssistantId,
  updateAssistant,
} from "../../assistants/assistants.ts";
import { deleteThreadCheckpoints } from "../../checkpoints/lifecycle.ts";
import { newId } from "../../db/ids.ts";
import { inBoth } from "../../db/scope.ts";
import { transaction } from "../../db/sql.ts";
import { ServiceError } from "../../errors.ts";
import { isServedElsewhere } from "../../runs/absent.ts";
import { holdThreadsOfAssistant } from "../../runs/read.ts";
import { cancelTopic, claimTopic } from "../../runs/run.ts";
import { deleteThreadRow, threadsOfAssistant } from "../../threads/threads.ts";
import { access, scopeOrNone } from "../access.ts";
import type { ApiDeps } from "../api-deps.ts";
import { sendPage } from "../lists.ts";
import { readWithin } from "../memory.ts";
import { refuseContext } from "../run-check.ts";
import { Assistant, answers, Config, Flag, Id, Json, Limit, Offset, SortOrder, Text } from "../schemas.ts";

const OneAssistant = z.object({ assistantId: Text });
const Fields = {
  config: Config.nullish().transform((config) => config ?? undefined),
  context: Json.nullish().transform((context) => context ?? undefined),
  metadata: Json.nullish().transform((metadata) => metadata ?? undefined),
  name: Text.nullish().transform((name) => name ?? undefined),
  description: Text.nullish(),
};
const Filter = { graph_id: Text.optional(), name: Text.optional(), metadata: Json.optional() };

const idIsTaken = () => new ServiceError("conflict", "Assistant already exists");

export const assistantRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, { pool, registry, wakeups, memory }) => {
  /** The graph may be another project's, or of a newer release: then a live worker has it. */
  const refuseUnknownGraph = async (graphId: string | undefined) => {
    if (graphId === undefined || registry.has(graphId) || (await isServedElsewhere(pool, graphId))) return;
    throw new ServiceError("not_found", `Graph "${graphId}" not found; this server has ${registry.graphIds.join(", ")}.`);
  };

  app.post(
    "/assistants",
    {
      schema: {
        body: z.object({
          ...Fields,
          graph_id: Text,
          assistant_id: Id.refine((id) => id[14] !== "5", "ids of version 5 are those of the graphs' own assistants")
            .nullish()
            .transform((id) => id ?? undefined),
          if_exists: z.enum(["raise", "do_nothing"]).nullish(),
        }),
        response: answers(Assistant),
      },
      config: access("assistants:create", "assistants:read"),
    },
    async (request, reply) => {
      await refuseUnknownGraph(request.body.graph_id);
      const { body } = request;
      const asked = { ...body, assistant_id: body.assistant_id ?? newId(), metadata: body.metadata ?? {} };
      const { scope, value } = await request.access("assistants:create", asked);
      const { if_exists, ...wanted } = value;
      await refuseContext(registry, wanted.graph_id, wanted.context ?? {});
      const made = await createAssistant(pool, wanted);
      if (made) return reply.send(made);
      if (if_exists !== "do_nothing") throw idIsTaken();
      const readable = await scopeOrNone(request, "assistants:read", { assistant_id: wanted.assistant_id });
      const existing = await findAssistant(pool, inBoth(scope, readable), wanted.assistant_id);
      if (!existing) throw idIsTaken();
      return reply.send(existing);
    },
  );

  app.post(
    "/assistants/search",
    {
      schema: {
        body: z.object({
          ...Filter,
          limit: Limit,
          offset: Offset,
          sort_by: z.enum(["assistant_id", "graph_id", "name", "created_at", "updated_at"]).optional(),
          sort_order: SortOrder,
          select: z.array(Assistant.keyof()).optional(),
        }),
        response: answers(z.array(Assistant)),
      },
      config: access("assistants:search"),
    },
    async (request, reply) => {
      const { scope, value: search } = await request.access("assistants:search", { ...request.body });
      return sendPage(reply, await readWithin(memory, reply, (bytes) => searchAssistants(pool, scope, { ...search, bytes })), search);
    },
  );

  app.post(
    "/assistants/count",
    { schema: { body: z.object(Filter), response: answers(z.number()) }, config: access("assistants:search") },
    async (request, reply) => {
      const { scope, value: filter } = await request.access("assistants:search", { ...request.body });
      return reply.send(await countAssistants(pool, scope, filter));
    },
  );

  app.get(
    "/assistants/:assistantId",
    { schema: { params: OneAssistant, response: answers(Assistant) }, config: access("assistants:read") },
    async (request, reply) => {
      const assistantId = toAssistantId(request.params.assistantId);
      const { scope } = await request.access("assistants:read", { assistant_id: assistantId });
      return reply.send(await getAssistant(pool, scope, assistantId));
    },
  );

  app.patch(
    "/assistants/:assistantId",
    {
      schema: { params: OneAssistant, body: z.object({ ...Fields, graph_id: Text.optional() }), response: answers(Assistant) },
      config: access("assistants:update"),
    },
    async (request, reply) => {
      await refuseUnknownGraph(request.body.graph_id);
      const { body, params } = request;
      const asked = { ...body, assistant_id: toAssistantId(params.assistantId), metadata: body.metadata };
      const { scope, value } = await request.access("assistants:update", asked);
      const { assistant_id: assistantId, ...patch } = value;
      const updated = await transaction(pool, async (tx) => {
        const next = await updateAssistant(tx, scope, assistantId, patch);
        if (patch.context || patch.graph_id) await refuseContext(registry, next.graph_id, next.context);
        return next;
      });
      return reply.send(updated);
    },
  );

  app.delete(
    "/assistants/:assistantId",
    {
      schema: { params: OneAssistant, querystring: z.object({ delete_threads: Flag.optional() }) },
      config: access("assistants:delete", "threads:delete"),
    },
    async (request, reply) => {
      const assistantId = toAssistantId(request.params.assistantId);
      const { scope } = await request.access("assistants:delete", { assistant_id: assistantId });
      await getAssistant(pool, scope, assistantId);
      const threads = request.query.delete_threads ? await request.access("threads:delete", { assistant_id: assistantId }) : undefined;
      await transaction(pool, async (tx) => {
        for (const threadId of threads ? await threadsOfAssistant(tx, threads.scope, assistantId) : []) {
          await deleteThreadRow(tx, threadId);
          await deleteThreadCheckpoints(tx, threadId);
        }
        await holdThreadsOfAssistant(tx, assistantId);
        await deleteAssistant(tx, scope, assistantId);
      });
      wakeups.tell(cancelTopic, claimTopic);
      return reply.send([assistantId]);
    },
  );

  app.post(
    "/assistants/:assistantId/versions",
    {
      schema: { params: OneAssistant, body: z.object({ limit: Limit, offset: Offset, metadata: Json.optional() }) },
      config: access("assistants:read"),
    },
    async (request, reply) => {
      const assistantId = toAssistantId(request.params.assistantId);
      const { scope } = await request.access("assistants:read", { assistant_id: assistantId });
      return reply.send(await listVersions(pool, scope, assistantId, request.body));
    },
  );

  app.post(
    "/assistants/:assistantId/latest",
    {
      schema: {
        params: OneAssistant,
        body: z.object({
          version: z
            .number()
            .int()
            .min(1)
            .max(2 ** 31 - 1),
        }),
        response: answers(Assistant),
      },
      config: access("assistants:update"),
    },
    async (request, reply) => {
      const asked = { assistant_id: toAssistantId(request.params.assistantId), version: request.body.version };
      const { scope, value } = await request.access("assistants:update", asked);
      return reply.send(await setLatestVersion(pool, scope, value.assistant_id, value.version));
    },
  );
};
