import type { FastifyReply, FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { copyCheckpoints } from "../../checkpoints/lifecycle.ts";
import { measureThread } from "../../checkpoints/thread-storage.ts";
import { newId } from "../../db/ids.ts";
import { inBoth, type Scope } from "../../db/scope.ts";
import { type Db, transaction } from "../../db/sql.ts";
import { ServiceError, threadNotFound } from "../../errors.ts";
import { deleteFeedbackOfThread } from "../../feedback/feedback.ts";
import { deleteThread, pruneThread } from "../../retention/prune-thread.ts";
import { cancelTopic } from "../../runs/run.ts";
import type { StateUpdate } from "../../state/state.ts";
import { updateState } from "../../state/state.ts";
import { readTtl } from "../../threads/retention.ts";
import { countThreads, searchThreads } from "../../threads/search.ts";
import {
  copyThreadRow,
  findThread,
  getThread,
  insertThread,
  lockThread,
  type Thread as ThreadRow,
  ThreadStatus,
  updateThread,
} from "../../threads/threads.ts";
import { access, alreadyDecided, scopeOrNone } from "../admission/access.ts";
import { estimateHeader, extractPaths, sendPage } from "../answers/lists.ts";
import type { ApiDeps } from "../api-deps.ts";
import { holdMemory, readWithin } from "../memory.ts";
import type { RequestOf } from "../route.ts";
import {
  answers,
  Command,
  Id,
  Json,
  Limit,
  Offset,
  OneOrMore,
  SortOrder,
  Text,
  Thread,
  ThreadParams,
  ThreadTtl,
  TtlInfo,
  TtlStrategy,
} from "../schemas.ts";

const Superstep = z.object({
  updates: z.array(z.object({ values: z.unknown().optional(), command: Command.nullish(), as_node: Text })).min(1),
});
/** The fields that a search can select. `context` is accepted because the SDK requests it, but our threads have no such field. */
const Selectable = z.enum([...Thread.keyof().options, "context"]);
const Filter = {
  ids: z.array(Id).optional(),
  metadata: Json.optional(),
  values: Json.optional(),
  status: ThreadStatus.optional(),
  exact: z.boolean().optional().describe("counts all threads. By default, a total above 10,000 is an estimate"),
};

const createSchema = {
  body: z.object({
    thread_id: Id.nullish().transform((id) => id ?? undefined),
    metadata: Json.nullish().transform((metadata) => metadata ?? undefined),
    if_exists: z.enum(["raise", "do_nothing"]).nullish(),
    supersteps: z.array(Superstep).nullish(),
    ttl: ThreadTtl.nullish().transform((ttl) => ttl ?? null),
  }),
  response: answers(Thread),
};
const searchSchema = {
  body: z.object({
    ...Filter,
    limit: Limit,
    offset: Offset,
    sort_by: z.enum(["thread_id", "status", "created_at", "updated_at", "state_updated_at"]).optional(),
    sort_order: SortOrder,
    select: z.array(Selectable).optional(),
    extract: z.record(z.string(), z.string()).optional(),
  }),
  response: answers(z.array(Thread)),
};
const countSchema = { body: z.object(Filter), response: answers(z.number()) };
const pruneSchema = {
  body: z.object({ thread_ids: z.array(Id).max(1_000), strategy: TtlStrategy.default("delete") }),
  response: answers(z.object({ pruned_count: z.number().int() })),
};
const bytes = z.number().int();
const size = { count: z.number().int(), bytes };
const storageSchema = {
  params: ThreadParams,
  response: answers(
    z
      .object({
        thread_id: Id,
        total_bytes: bytes,
        checkpoints: z.object(size).describe("the checkpoints with their metadata"),
        channel_values: z
          .object({ ...size, by_channel: z.record(z.string(), z.object({ versions: z.number().int(), bytes })) })
          .describe("the values of the graph's channels, in total and by channel"),
        pending_writes: z.object(size).describe("the results of tasks in steps that have not ended"),
      })
      .meta({ id: "ThreadStorage" }),
  ),
};
const getSchema = {
  params: ThreadParams,
  querystring: z.object({ include: OneOrMore(Text).optional().describe("ttl: adds when the thread expires") }),
  response: answers(Thread.extend({ ttl: TtlInfo.optional() })),
};
const oneSchema = { params: ThreadParams, response: answers(Thread) };
const patchSchema = {
  params: ThreadParams,
  body: z.object({ metadata: Json.nullish(), ttl: ThreadTtl.nullish() }),
  response: { ...answers(Thread), 204: z.unknown() },
};
const deleteSchema = { params: ThreadParams };

/** Creates, finds, changes, prunes, copies and deletes threads. */
export const threadRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, deps) => {
  app.post("/threads", { schema: createSchema, config: access("threads:create", "threads:read", "threads:update") }, (request, reply) =>
    create(deps, request, reply),
  );
  app.post("/threads/search", { schema: searchSchema, config: access("threads:search") }, (request, reply) => search(deps, request, reply));
  app.post("/threads/count", { schema: countSchema, config: access("threads:search") }, (request, reply) => count(deps, request, reply));
  app.post("/threads/prune", { schema: pruneSchema, config: access("threads:delete", "threads:update") }, (request, reply) =>
    prune(deps, request, reply),
  );
  app.get("/threads/:threadId", { schema: getSchema, config: access("threads:read") }, (request, reply) => get(deps, request, reply));
  app.get("/threads/:threadId/storage", { schema: storageSchema, config: access("threads:read") }, async (request, reply) => {
    const { threadId } = request.params;
    const { scope } = await request.access("threads:read", { thread_id: threadId });
    await getThread(deps.pool, scope, threadId);
    return reply.send(await measureThread(deps.pool, threadId));
  });
  app.patch("/threads/:threadId", { schema: patchSchema, config: access("threads:update") }, (request, reply) =>
    patch(deps, request, reply),
  );
  app.delete("/threads/:threadId", { schema: deleteSchema, config: access("threads:delete") }, (request, reply) =>
    remove(deps, request, reply),
  );
  app.post("/threads/:threadId/copy", { schema: oneSchema, config: access("threads:read", "threads:create") }, (request, reply) =>
    copy(deps, request, reply),
  );
};

const idIsTaken = () => new ServiceError("conflict", "Thread already exists");

async function create(deps: ApiDeps, request: RequestOf<typeof createSchema>, reply: FastifyReply) {
  const { pool, registry } = deps;
  const { supersteps, ...named } = request.body;
  const asked = { ...named, thread_id: named.thread_id ?? newId(), metadata: named.metadata ?? {} };
  const { scope, value } = await request.access("threads:create", asked);
  const { if_exists, ...wanted } = value;
  const history = supersteps?.map(({ updates }) => updates.map(toStateUpdate)) ?? [];
  const make = async (db: Db) => {
    const made = await insertThread(db, wanted);
    if (!made || history.length === 0) return made;
    await updateState(db, { ...scope, ...alreadyDecided }, registry, wanted.thread_id, history);
    return getThread(db, alreadyDecided, wanted.thread_id);
  };
  const made = history.length > 0 ? await transaction(pool, make) : await make(pool);
  if (made) return reply.send(made);
  if (if_exists !== "do_nothing") throw idIsTaken();
  return reply.send(await takeExisting(deps, request, { creatable: scope, threadId: wanted.thread_id, history }));
}

function toStateUpdate({ values, command, as_node }: z.infer<typeof Superstep>["updates"][number]): StateUpdate {
  return { values, asNode: as_node, ...(command && { command }) };
}

interface Existing {
  /** The scope of the threads that the caller may create. */
  creatable: Scope;
  threadId: string;
  history: StateUpdate[][];
}

/**
 * Handles a request to create a thread whose id already exists. Adds the given history to that thread and returns it. If the caller may not
 * read the thread, throws an error that says only that the id is taken.
 */
async function takeExisting({ pool, registry }: ApiDeps, request: FastifyRequest, existing: Existing): Promise<ThreadRow> {
  const { creatable, threadId, history } = existing;
  const readable = await scopeOrNone(request, "threads:read", { thread_id: threadId });
  const thread = await findThread(pool, inBoth(creatable, readable), threadId);
  if (!thread) throw idIsTaken();
  if (history.length === 0) return thread;
  const { scope } = await request.access("threads:update", { thread_id: threadId });
  return transaction(pool, async (tx) => {
    await updateState(tx, scope, registry, threadId, history);
    return getThread(tx, alreadyDecided, threadId);
  });
}

async function search({ pool, memory }: ApiDeps, request: RequestOf<typeof searchSchema>, reply: FastifyReply) {
  const { scope, value: query } = await request.access("threads:search", { ...request.body });
  const page = await readWithin(memory, reply, (bytes) => searchThreads(pool, scope, { ...query, bytes }));
  const { extract, select } = query;
  if (!extract) return sendPage(reply, page, query);
  if (Object.keys(extract).length > 10) await holdMemory(memory, reply); // each extracted value is a copy in the response, and may be large
  return sendPage(reply, page, { ...query, select: select && [...select, "extracted"] }, (thread) => extractPaths(thread, extract));
}

async function count({ pool }: ApiDeps, request: RequestOf<typeof countSchema>, reply: FastifyReply) {
  const { scope, value: filter } = await request.access("threads:search", { ...request.body });
  const { total, isEstimate } = await countThreads(pool, scope, filter);
  if (isEstimate) reply.header(estimateHeader, "true");
  return reply.send(total);
}

async function prune({ pool }: ApiDeps, request: RequestOf<typeof pruneSchema>, reply: FastifyReply) {
  const { thread_ids, strategy } = request.body;
  const { scope } = await request.access(strategy === "delete" ? "threads:delete" : "threads:update", { thread_ids });
  let pruned = 0;
  // Prunes each thread in a transaction of its own. A thread is thus locked only while it is pruned. No transaction holds one lock while it
  // waits for another.
  for (const threadId of new Set(thread_ids)) {
    if (await transaction(pool, (tx) => pruneThread(tx, scope, threadId, strategy))) pruned++;
  }
  return reply.send({ pruned_count: pruned });
}

async function get({ pool, settings }: ApiDeps, request: RequestOf<typeof getSchema>, reply: FastifyReply) {
  const { threadId } = request.params;
  const { scope } = await request.access("threads:read", { thread_id: threadId });
  const thread = await getThread(pool, scope, threadId);
  const wantsTtl = request.query.include?.some((names) => names.split(",").includes("ttl")) ?? false;
  const ttl = wantsTtl ? await readTtl(pool, threadId, settings.threadTtl) : undefined;
  return reply.send(ttl ? { ...thread, ttl } : thread);
}

async function patch({ pool }: ApiDeps, request: RequestOf<typeof patchSchema>, reply: FastifyReply) {
  const { threadId } = request.params;
  const { ttl } = request.body;
  const { scope, value } = await request.access("threads:update", { thread_id: threadId, metadata: request.body.metadata });
  const isMinimal = request.headers.prefer === "return=minimal";
  // If the updated thread cannot be decrypted for the response, the transaction undoes the update.
  const thread = await transaction(pool, async (tx) => {
    await updateThread(tx, scope, threadId, { metadata: value.metadata ?? {}, ...(ttl !== undefined && { ttl }) });
    return isMinimal ? undefined : getThread(tx, alreadyDecided, threadId);
  });
  return thread ? reply.send(thread) : reply.code(204).send();
}

async function remove({ pool, wakeups }: ApiDeps, request: RequestOf<typeof deleteSchema>, reply: FastifyReply) {
  const { threadId } = request.params;
  const { scope } = await request.access("threads:delete", { thread_id: threadId });
  await transaction(pool, async (tx) => {
    if (!(await lockThread(tx, scope, threadId))) throw threadNotFound(threadId);
    await deleteFeedbackOfThread(tx, threadId);
    await deleteThread(tx, threadId);
  });
  wakeups.notify(cancelTopic); // if a worker still executes a run of the deleted thread, this makes it stop the run
  return reply.code(204).send();
}

async function copy({ pool }: ApiDeps, request: RequestOf<typeof oneSchema>, reply: FastifyReply) {
  const { threadId } = request.params;
  const notFound = () => new ServiceError("conflict", "Thread not found");
  const { scope } = await request.access("threads:read", { thread_id: threadId });
  const source = await findThread(pool, scope, threadId);
  if (!source) throw notFound();
  const copyId = newId();
  const metadata = { ...source.metadata, thread_id: copyId };
  const { value } = await request.access("threads:create", { thread_id: copyId, metadata });
  const made = await transaction(pool, async (tx) => {
    if (!(await copyThreadRow(tx, scope, threadId, value))) throw notFound();
    await copyCheckpoints(tx, threadId, copyId);
    return getThread(tx, alreadyDecided, copyId);
  });
  return reply.send(made);
}
