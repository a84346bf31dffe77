import type { FastifyReply } from "fastify";
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
import { deleteFeedbackOfThread } from "../../feedback/feedback.ts";
import { isServedElsewhere } from "../../runs/absent.ts";
import { holdThreadsOfAssistant } from "../../runs/read.ts";
import { cancelTopic, claimTopic } from "../../runs/run.ts";
import { deleteThreadRow, threadsOfAssistant } from "../../threads/threads.ts";
import { access, scopeOrNone } from "../admission/access.ts";
import { sendPage } from "../answers/lists.ts";
import type { ApiDeps } from "../api-deps.ts";
import { readWithin } from "../memory.ts";
import type { RequestOf } from "../route.ts";
import { refuseContext } from "../runs/run-check.ts";
import { Assistant, AssistantParams, answers, Config, Flag, Id, Json, Limit, Offset, SortOrder, Text } from "../schemas.ts";

const Fields = {
  config: Config.nullish().transform((config) => config ?? undefined),
  context: Json.nullish().transform((context) => context ?? undefined),
  metadata: Json.nullish().transform((metadata) => metadata ?? undefined),
  name: Text.nullish().transform((name) => name ?? undefined),
  description: Text.nullish(),
};
const Filter = { graph_id: Text.optional(), name: Text.optional(), metadata: Json.optional() };

const createSchema = {
  body: z.object({
    ...Fields,
    graph_id: Text,
    assistant_id: Id.refine((id) => id[14] !== "5", "ids of version 5 are those of the graphs' own assistants")
      .nullish()
      .transform((id) => id ?? undefined),
    if_exists: z.enum(["raise", "do_nothing"]).nullish(),
  }),
  response: answers(Assistant),
};
const searchSchema = {
  body: z.object({
    ...Filter,
    limit: Limit,
    offset: Offset,
    sort_by: z.enum(["assistant_id", "graph_id", "name", "created_at", "updated_at"]).optional(),
    sort_order: SortOrder,
    select: z.array(Assistant.keyof()).optional(),
  }),
  response: answers(z.array(Assistant)),
};
const countSchema = { body: z.object(Filter), response: answers(z.number()) };
const getSchema = { params: AssistantParams, response: answers(Assistant) };
const patchSchema = { params: AssistantParams, body: z.object({ ...Fields, graph_id: Text.optional() }), response: answers(Assistant) };
const deleteSchema = { params: AssistantParams, querystring: z.object({ delete_threads: Flag.optional() }) };
const versionsSchema = { params: AssistantParams, body: z.object({ limit: Limit, offset: Offset, metadata: Json.optional() }) };
const Version = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1);
const latestSchema = { params: AssistantParams, body: z.object({ version: Version }), response: answers(Assistant) };

const searches = access("assistants:search");
const reads = access("assistants:read");
const updates = access("assistants:update");
const deletes = access("assistants:delete", "threads:delete");

/** Creates, finds, changes and deletes assistants, and chooses their versions. */
export const assistantRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, deps) => {
  app.post("/assistants", { schema: createSchema, config: access("assistants:create", "assistants:read") }, (request, reply) =>
    create(deps, request, reply),
  );
  app.post("/assistants/search", { schema: searchSchema, config: searches }, (request, reply) => search(deps, request, reply));
  app.post("/assistants/count", { schema: countSchema, config: searches }, (request, reply) => count(deps, request, reply));
  app.get("/assistants/:assistantId", { schema: getSchema, config: reads }, (request, reply) => get(deps, request, reply));
  app.patch("/assistants/:assistantId", { schema: patchSchema, config: updates }, (request, reply) => patch(deps, request, reply));
  app.delete("/assistants/:assistantId", { schema: deleteSchema, config: deletes }, (request, reply) => remove(deps, request, reply));
  app.post("/assistants/:assistantId/versions", { schema: versionsSchema, config: reads }, (request, reply) =>
    versions(deps, request, reply),
  );
  app.post("/assistants/:assistantId/latest", { schema: latestSchema, config: updates }, (request, reply) => latest(deps, request, reply));
};

const idIsTaken = () => new ServiceError("conflict", "Assistant already exists");

/**
 * Throws if neither this process nor a live worker has the graph. A worker may serve another project or a newer release, so its graphs
 * count as well.
 */
async function refuseUnknownGraph({ pool, registry }: ApiDeps, graphId: string | undefined): Promise<void> {
  if (graphId === undefined || registry.has(graphId) || (await isServedElsewhere(pool, graphId))) return;
  throw new ServiceError("not_found", `Graph "${graphId}" not found; this server has ${registry.graphIds.join(", ")}.`);
}

async function create(deps: ApiDeps, request: RequestOf<typeof createSchema>, reply: FastifyReply) {
  const { pool, registry } = deps;
  const { body } = request;
  await refuseUnknownGraph(deps, body.graph_id);
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
}

async function search({ pool, memory }: ApiDeps, request: RequestOf<typeof searchSchema>, reply: FastifyReply) {
  const { scope, value: query } = await request.access("assistants:search", { ...request.body });
  return sendPage(reply, await readWithin(memory, reply, (bytes) => searchAssistants(pool, scope, { ...query, bytes })), query);
}

async function count({ pool }: ApiDeps, request: RequestOf<typeof countSchema>, reply: FastifyReply) {
  const { scope, value: filter } = await request.access("assistants:search", { ...request.body });
  return reply.send(await countAssistants(pool, scope, filter));
}

async function get({ pool }: ApiDeps, request: RequestOf<typeof getSchema>, reply: FastifyReply) {
  const assistantId = toAssistantId(request.params.assistantId);
  const { scope } = await request.access("assistants:read", { assistant_id: assistantId });
  return reply.send(await getAssistant(pool, scope, assistantId));
}

async function patch(deps: ApiDeps, request: RequestOf<typeof patchSchema>, reply: FastifyReply) {
  const { body, params } = request;
  await refuseUnknownGraph(deps, body.graph_id);
  const asked = { ...body, assistant_id: toAssistantId(params.assistantId), metadata: body.metadata };
  const { scope, value } = await request.access("assistants:update", asked);
  const { assistant_id: assistantId, ...fields } = value;
  const updated = await transaction(deps.pool, async (tx) => {
    const next = await updateAssistant(tx, scope, assistantId, fields);
    if (fields.context || fields.graph_id) await refuseContext(deps.registry, next.graph_id, next.context);
    return next;
  });
  return reply.send(updated);
}

/** Deletes an assistant. If the request says so, also deletes its threads. */
async function remove({ pool, wakeups }: ApiDeps, request: RequestOf<typeof deleteSchema>, reply: FastifyReply) {
  const assistantId = toAssistantId(request.params.assistantId);
  const { scope } = await request.access("assistants:delete", { assistant_id: assistantId });
  await getAssistant(pool, scope, assistantId);
  const threads = request.query.delete_threads ? await request.access("threads:delete", { assistant_id: assistantId }) : undefined;
  await transaction(pool, async (tx) => {
    for (const threadId of threads ? await threadsOfAssistant(tx, threads.scope, assistantId) : []) {
      await deleteFeedbackOfThread(tx, threadId);
      await deleteThreadRow(tx, threadId);
      await deleteThreadCheckpoints(tx, threadId);
    }
    await holdThreadsOfAssistant(tx, assistantId);
    await deleteAssistant(tx, scope, assistantId);
  });
  wakeups.notify(cancelTopic, claimTopic);
  return reply.send([assistantId]);
}

async function versions({ pool }: ApiDeps, request: RequestOf<typeof versionsSchema>, reply: FastifyReply) {
  const assistantId = toAssistantId(request.params.assistantId);
  const { scope } = await request.access("assistants:read", { assistant_id: assistantId });
  return reply.send(await listVersions(pool, scope, assistantId, request.body));
}

async function latest({ pool }: ApiDeps, request: RequestOf<typeof latestSchema>, reply: FastifyReply) {
  const asked = { assistant_id: toAssistantId(request.params.assistantId), version: request.body.version };
  const { scope, value } = await request.access("assistants:update", asked);
  // The response contains the assistant. If the assistant cannot be decrypted, the transaction undoes the change.
  return reply.send(await transaction(pool, (tx) => setLatestVersion(tx, scope, value.assistant_id, value.version)));
}
