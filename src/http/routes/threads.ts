import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { copyCheckpoints } from "../../checkpoints/lifecycle.ts";
import { transaction } from "../../db/sql.ts";
import { ServiceError } from "../../errors.ts";
import { deleteThread, pruneThread } from "../../retention/prune.ts";
import { cancelTopic } from "../../runs/run.ts";
import type { StateUpdate } from "../../state/state.ts";
import { updateState } from "../../state/state.ts";
import { copyThreadRow, countThreads, createThread, getThread, lockThread, searchThreads, updateThread } from "../../threads/threads.ts";
import { extractPaths } from "../extract.ts";
import { sendPage } from "../lists.ts";
import type { ApiRooms } from "../rooms.ts";
import { answers, Command, Id, Json, Limit, Offset, SortOrder, Text, Thread, ThreadParams, ThreadTtl, TtlStrategy } from "../schemas.ts";

const Status = z.enum(["idle", "busy", "interrupted", "error"]);
const Superstep = z.object({
  updates: z.array(z.object({ values: z.unknown().optional(), command: Command.nullish(), as_node: Text })).min(1),
});
/** `context` is among the SDK's fields; a thread of ours has none. */
const Selectable = z.enum([...Thread.keyof().options, "context"]);
const Filter = {
  ids: z.array(Id).optional(),
  metadata: Json.optional(),
  values: Json.optional(),
  status: Status.optional(),
};

export const threadRoutes: FastifyPluginAsyncZod<ApiRooms> = async (app, { pool, registry, wakeups }) => {
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
    },
    async ({ body: { if_exists, supersteps, ...wanted } }, reply) => {
      const keepExisting = if_exists === "do_nothing";
      const history = supersteps?.map(({ updates }) => updates.map(toStateUpdate)) ?? [];
      if (history.length === 0) return reply.send(await createThread(pool, wanted, keepExisting));
      const thread = await transaction(pool, async (tx) => {
        const { thread_id: threadId } = await createThread(tx, wanted, keepExisting);
        await updateState(tx, registry, threadId, history);
        return getThread(tx, threadId);
      });
      return reply.send(thread);
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
    },
    async ({ body }, reply) => {
      const page = await searchThreads(pool, body);
      const { extract, select } = body;
      if (!extract) return sendPage(reply, page, body);
      const rows = page.rows.map((thread) => ({ ...thread, extracted: extractPaths(thread, extract) }));
      return sendPage(reply, { ...page, rows }, { ...body, select: select && [...select, "extracted"] });
    },
  );

  app.post("/threads/count", { schema: { body: z.object(Filter), response: answers(z.number()) } }, async ({ body }, reply) =>
    reply.send(await countThreads(pool, body)),
  );

  app.post(
    "/threads/prune",
    {
      schema: {
        body: z.object({ thread_ids: z.array(Id).max(1_000), strategy: TtlStrategy.default("delete") }),
        response: answers(z.object({ pruned_count: z.number().int() })),
      },
    },
    async ({ body: { thread_ids, strategy } }, reply) => {
      let pruned = 0;
      // Each in a transaction of its own: a thread is held only while it is pruned, and nobody waits for two.
      for (const threadId of new Set(thread_ids)) {
        if (await transaction(pool, (tx) => pruneThread(tx, threadId, strategy))) pruned++;
      }
      return reply.send({ pruned_count: pruned });
    },
  );

  app.get("/threads/:threadId", { schema: { params: ThreadParams, response: answers(Thread) } }, async ({ params }, reply) =>
    reply.send(await getThread(pool, params.threadId)),
  );

  app.patch(
    "/threads/:threadId",
    {
      schema: {
        params: ThreadParams,
        body: z.object({ metadata: Json.nullish(), ttl: ThreadTtl.nullish() }),
        response: { ...answers(Thread), 204: z.unknown() },
      },
    },
    async ({ params: { threadId }, body, headers }, reply) => {
      await transaction(pool, (tx) =>
        updateThread(tx, threadId, { metadata: body.metadata ?? {}, ...(body.ttl !== undefined && { ttl: body.ttl }) }),
      );
      if (headers.prefer === "return=minimal") return reply.code(204).send();
      return reply.send(await getThread(pool, threadId));
    },
  );

  app.delete("/threads/:threadId", { schema: { params: ThreadParams } }, async ({ params: { threadId } }, reply) => {
    await transaction(pool, async (tx) => {
      await lockThread(tx, threadId);
      await deleteThread(tx, threadId);
    });
    wakeups.tell(cancelTopic); // a worker that was running one of its runs stops
    return reply.code(204).send();
  });

  app.post("/threads/:threadId/copy", { schema: { params: ThreadParams, response: answers(Thread) } }, async ({ params }, reply) => {
    const copyId = await transaction(pool, async (tx) => {
      const copied = await copyThreadRow(tx, params.threadId);
      if (!copied) throw new ServiceError("conflict", "Thread not found");
      await copyCheckpoints(tx, params.threadId, copied);
      return copied;
    });
    return reply.send(await getThread(pool, copyId));
  });
};

function toStateUpdate({ values, command, as_node }: z.infer<typeof Superstep>["updates"][number]): StateUpdate {
  return { values, asNode: as_node, ...(command && { command }) };
}
