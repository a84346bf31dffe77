import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import {
  countAssistants,
  createAssistant,
  deleteAssistant,
  getAssistant,
  listVersions,
  searchAssistants,
  setLatestVersion,
  updateAssistant,
} from "../../assistants/assistants.ts";
import { deleteThreadCheckpoints } from "../../checkpoints/lifecycle.ts";
import { transaction } from "../../db/sql.ts";
import { ServiceError } from "../../errors.ts";
import { cancelTopic } from "../../runs/run.ts";
import { deleteThreadRow, threadsOfAssistant } from "../../threads/threads.ts";
import { sendPage } from "../lists.ts";
import type { ApiRooms } from "../rooms.ts";
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

export const assistantRoutes: FastifyPluginAsyncZod<ApiRooms> = async (app, { pool, registry, wakeups }) => {
  const refuseUnknownGraph = (graphId: string | undefined) => {
    if (graphId === undefined || registry.has(graphId)) return;
    throw new ServiceError("not_found", `Graph "${graphId}" not found; this server has ${registry.graphIds.join(", ")}.`);
  };

  app.post(
    "/assistants",
    {
      schema: {
        body: z.object({
          ...Fields,
          graph_id: Text,
          assistant_id: Id.nullish().transform((id) => id ?? undefined),
          if_exists: z.enum(["raise", "do_nothing"]).nullish(),
        }),
        response: answers(Assistant),
      },
    },
    async ({ body: { if_exists, ...wanted } }, reply) => {
      refuseUnknownGraph(wanted.graph_id);
      await refuseContext(registry, wanted.graph_id, wanted.context ?? {});
      return reply.send(await createAssistant(pool, wanted, if_exists === "do_nothing"));
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
    },
    async ({ body }, reply) => sendPage(reply, await searchAssistants(pool, body), body),
  );

  app.post("/assistants/count", { schema: { body: z.object(Filter), response: answers(z.number()) } }, async ({ body }, reply) =>
    reply.send(await countAssistants(pool, body)),
  );

  app.get("/assistants/:assistantId", { schema: { params: OneAssistant, response: answers(Assistant) } }, async ({ params }, reply) =>
    reply.send(await getAssistant(pool, params.assistantId)),
  );

  app.patch(
    "/assistants/:assistantId",
    { schema: { params: OneAssistant, body: z.object({ ...Fields, graph_id: Text.optional() }), response: answers(Assistant) } },
    async ({ params, body }, reply) => {
      refuseUnknownGraph(body.graph_id);
      const updated = await transaction(pool, async (tx) => {
        const next = await updateAssistant(tx, params.assistantId, body);
        if (body.context || body.graph_id) await refuseContext(registry, next.graph_id, next.context);
        return next;
      });
      return reply.send(updated);
    },
  );

  app.delete(
    "/assistants/:assistantId",
    { schema: { params: OneAssistant, querystring: z.object({ delete_threads: Flag.optional() }) } },
    async ({ params, query }, reply) => {
      const { assistant_id: assistantId } = await getAssistant(pool, params.assistantId);
      await transaction(pool, async (tx) => {
        for (const threadId of query.delete_threads ? await threadsOfAssistant(tx, assistantId) : []) {
          await deleteThreadRow(tx, threadId);
          await deleteThreadCheckpoints(tx, threadId);
        }
        await deleteAssistant(tx, assistantId);
      });
      wakeups.tell(cancelTopic);
      return reply.send([assistantId]);
    },
  );

  app.post(
    "/assistants/:assistantId/versions",
    { schema: { params: OneAssistant, body: z.object({ limit: Limit, offset: Offset, metadata: Json.optional() }) } },
    async ({ params, body }, reply) => reply.send(await listVersions(pool, params.assistantId, body)),
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
    },
    async ({ params, body }, reply) => reply.send(await setLatestVersion(pool, params.assistantId, body.version)),
  );
};
