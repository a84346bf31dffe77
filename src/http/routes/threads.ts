import type { FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { copyCheckpoints } from "../../checkpoints/lifecycle.ts";
import { newId } from "../../db/ids.ts";
import { inBoth, type Scope } from "../../db/scope.ts";
import { type Db, transaction } from "../../db/sql.ts";
import { ServiceError, threadNotFound } from "../../errors.ts";
import { deleteThread, pruneThread } from "../../retention/prune.ts";
import { cancelTopic } from "../../runs/run.ts";
import type { StateUpdate } from "../../state/state.ts";
import { updateState } from "../../state/state.ts";
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
import { access, alreadyDecided, scopeOrNone } from "../access.ts";
import type { ApiDeps } from "../api-deps.ts";
import { extractPaths } from "../extract.ts";
import { estimateHeader, sendPage } from "../lists.ts";
import { holdMemory, readWithin } from "../memory.ts";
import { answers, Command, Id, Json, Limit, Offset, SortOrder, Text, Thread, ThreadParams, ThreadTtl, TtlStrategy } from "../schemas.ts";

const Superstep = z.object({
  updates: z.array(z.object({ values: z.unknown().optional(), command: Command.nullish(), as_node: Text })).min(1),
});
/** `context` is among the SDK's fields; a thread of ours has none. */
const Selectable = z.enum([...Thread.keyof().options, "context"]);
const Filter = {
  ids: z.array(Id).optional(),
  metadata: Json.optional(),
  values: Json.optional(),
  status: ThreadStatus.optional(),
  exact: z.boolean().optional().describe("counts all threads; without it, more than 10,000 are estimated"),
};

const idIsTaken = () => new ServiceError("conflict", "Thread already exists");

export const threadRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, { pool, registry, wakeups, memory }) => {
  /** Takes a thread that is there for the one that was to be made. Of one that the caller may not read, only the id is taken. */
  async function takeExisting(request: FastifyRequest, makeable: Scope, threadId: string, history: StateUpdate[][]): Promise<ThreadRow> {
    const readable = await scopeOrNone(request, "threads:read", { thread_id: threadId });
    const thread = await findThread(pool, inBoth(makeable, readable), threadId);
    if (!thread) throw idIsTaken();
    if (history.length === 0) return thread;
    const { scope } = await request.access("threads:update", { thread_id: threadId });
    await transaction(pool, (tx) => updateState(tx, scope, registry, threadId, history));
    return getThread(pool, alreadyDecided, threadId);
  }

  app.post(
    "/threads",
    {
      schema: {
        body: z.object({
          thread_id: Id.nullish().transform((id) => id ?? undefined),
          metadata: Json.nullish().transform((metadata) => metadata ?? undefined),
          if_exists: z.enum(["raise", "do_nothing"]).nullish(),
          supersteps: z.array(Superstep).nullish(),
          ttl: ThreadTtl.nullish().transform((ttl) => ttl ?? null),
        }),
        response: answers(Thread),
      },
      config: access("threads:create", "threads:read", "threads:update"),
    },
    async (request, reply) => {
      const { supersteps, ...named } = request.body;
      const asked = { ...named, thread_id: named.thread_id ?? newId(), metadata: named.metadata ?? {} };
      const { scope, value } = await request.access("threads:create", asked);
      const { if_exists, ...wanted } = value;
      const history = supersteps?.map(({ updates }) => updates.map(toStateUpdate)) ?? [];
      const make = async (db: Db) => {
        if (!(await insertThread(db, wanted))) return false;
        if (history.length > 0) await updateState(db, { ...scope, ...alreadyDecided }, registry, wanted.thread_id, history);
        return true;
      };
      const isMade = history.length > 0 ? await transaction(pool, make) : await make(pool);
      if (isMade) return reply.send(await getThread(pool, alreadyDecided, wanted.thread_id));
      if (if_exists !== "do_nothing") throw idIsTaken();
      return reply.send(await takeExisting(request, scope, wanted.thread_id, history));
    },
  );

  app.post(
    "/threads/search",
    {
      schema: {
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
      },
      config: access("threads:search"),
    },
    async (request, reply) => {
      const { scope, value: search } = await request.access("threads:search", { ...request.body });
      const page = await readWithin(memory, reply, (bytes) => searchThreads(pool, scope, { ...search, bytes }));
      const { extract, select } = search;
      if (!extract) return sendPage(reply, page, search);
      if (Object.keys(extract).length > 10) await holdMemory(memory, reply); // as many copies of what may be large
      return sendPage(reply, page, { ...search, select: select && [...select, "extracted"] }, (thread) => extractPaths(thread, extract));
    },
  );

  app.post(
    "/threads/count",
    { schema: { body: z.object(Filter), response: answers(z.number()) }, config: access("threads:search") },
    async (request, reply) => {
      const { scope, value: filter } = await request.access("threads:search", { ...request.body });
      const { total, isEstimate } = await countThreads(pool, scope, filter);
      if (isEstimate) reply.header(estimateHeader, "true");
      return reply.send(total);
    },
  );

  app.post(
    "/threads/prune",
    {
      schema: {
        body: z.object({ thread_ids: z.array(Id).max(1_000), strategy: TtlStrategy.default("delete") }),
        response: answers(z.object({ pruned_count: z.number().int() })),
      },
      config: access("threads:delete", "threads:update"),
    },
    async (request, reply) => {
      const { thread_ids, strategy } = request.body;
      const { scope } = await request.access(strategy === "delete" ? "threads:delete" : "threads:update", { thread_ids });
      let pruned = 0;
      // Each in a transaction of its own: a thread is held only while it is pruned, and nobody waits for two.
      for (const threadId of new Set(thread_ids)) {
        if (await transaction(pool, (tx) => pruneThread(tx, scope, threadId, strategy))) pruned++;
      }
      return reply.send({ pruned_count: pruned });
    },
  );

  app.get(
    "/threads/:threadId",
    { schema: { params: ThreadParams, response: answers(Thread) }, config: access("threads:read") },
    async (request, reply) => {
      const { threadId } = request.params;
      const { scope } = await request.access("threads:read", { thread_id: threadId });
      return reply.send(await getThread(pool, scope, threadId));
    },
  );

  app.patch(
    "/threads/:threadId",
    {
      schema: {
        params: ThreadParams,
        body: z.object({ metadata: Json.nullish(), ttl: ThreadTtl.nullish() }),
        response: { ...answers(Thread), 204: z.unknown() },
      },
      config: access("threads:update"),
    },
    async (request, reply) => {
      const { threadId } = request.params;
      const { ttl } = request.body;
      const { scope, value } = await request.access("threads:update", { thread_id: threadId, metadata: request.body.metadata });
      await transaction(pool, (tx) =>
        updateThread(tx, scope, threadId, { metadata: value.metadata ?? {}, ...(ttl !== undefined && { ttl }) }),
      );
      if (request.headers.prefer === "return=minimal") return reply.code(204).send();
      return reply.send(await getThread(pool, alreadyDecided, threadId));
    },
  );

  app.delete("/threads/:threadId", { schema: { params: ThreadParams }, config: access("threads:delete") }, async (request, reply) => {
    const { threadId } = request.params;
    const { scope } = await request.access("threads:delete", { thread_id: threadId });
    await transaction(pool, async (tx) => {
      if (!(await lockThread(tx, scope, threadId))) throw threadNotFound(threadId);
      await deleteThread(tx, threadId);
    });
    wakeups.tell(cancelTopic); // a worker that was running one of its runs stops
    return reply.code(204).send();
  });

  app.post(
    "/threads/:threadId/copy",
    { schema: { params: ThreadParams, response: answers(Thread) }, config: access("threads:read", "threads:create") },
    async (request, reply) => {
      const { threadId } = request.params;
      const notFound = () => new ServiceError("conflict", "Thread not found");
      const { scope } = await request.access("threads:read", { thread_id: threadId });
      const source = await findThread(pool, scope, threadId);
      if (!source) throw notFound();
      const copyId = newId();
      const { value } = await request.access("threads:create", {
        thread_id: copyId,
        metadata: { ...source.metadata, thread_id: copyId },
      });
      await transaction(pool, async (tx) => {
        if (!(await copyThreadRow(tx, scope, threadId, value))) throw notFound();
        await copyCheckpoints(tx, threadId, copyId);
      });
      return reply.send(await getThread(pool, alreadyDecided, copyId));
    },
  );
};

function toStateUpdate({ values, command, as_node }: z.infer<typeof Superstep>["updates"][number]): StateUpdate {
  return { values, asNode: as_node, ...(command && { command }) };
}
