import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { countCrons, createCron, deleteCron, searchCrons, updateCron } from "../../crons/crons.ts";
import { transaction } from "../../db/sql.ts";
import { CronCreate, CronPatch, toNewCron, toPatch } from "../cron-request.ts";
import { sendPage } from "../lists.ts";
import type { ApiRooms } from "../rooms.ts";
import { refuseWebhook, runCheck } from "../run-check.ts";
import { answers, Cron, Id, Json, Limit, Offset, SortOrder, Text, ThreadParams } from "../schemas.ts";

const CronParams = z.object({ cronId: Id });
const Filter = {
  assistant_id: Text.optional(),
  thread_id: Id.optional(),
  enabled: z.boolean().optional(),
  metadata: Json.optional(),
};
/** `now` is among the SDK's fields; a cron of ours has none. */
const Selectable = z.enum([...Cron.keyof().options, "now"]);

/** Runs by the clock: crons on threads and without, changed, listed, deleted. Workers fire them. */
export const cronRoutes: FastifyPluginAsyncZod<ApiRooms> = async (app, { pool, registry, settings, webhookRules }) => {
  const rules = { check: runCheck(registry), retention: settings };
  async function create(body: z.output<typeof CronCreate>, threadId: string | null) {
    refuseWebhook(webhookRules, body.webhook);
    return transaction(pool, (tx) => createCron(tx, toNewCron(body, threadId), rules));
  }

  app.post("/runs/crons", { schema: { body: CronCreate, response: answers(Cron) } }, async ({ body }, reply) =>
    reply.send(await create(body, null)),
  );

  app.post(
    "/threads/:threadId/runs/crons",
    { schema: { params: ThreadParams, body: CronCreate, response: answers(Cron) } },
    async ({ params, body }, reply) => reply.send(await create(body, params.threadId)),
  );

  app.patch(
    "/runs/crons/:cronId",
    { schema: { params: CronParams, body: CronPatch, response: answers(Cron) } },
    async ({ params, body }, reply) => {
      refuseWebhook(webhookRules, body.webhook);
      return reply.send(await transaction(pool, (tx) => updateCron(tx, params.cronId, toPatch(body), rules)));
    },
  );

  app.delete("/runs/crons/:cronId", { schema: { params: CronParams } }, async ({ params }, reply) => {
    await deleteCron(pool, params.cronId);
    return reply.code(204).send();
  });

  app.post(
    "/runs/crons/search",
    {
      schema: {
        body: z.object({
          ...Filter,
          limit: Limit,
          offset: Offset,
          sort_by: z.enum(["cron_id", "assistant_id", "thread_id", "created_at", "updated_at", "next_run_date"]).optional(),
          sort_order: SortOrder,
          select: z.array(Selectable).optional(),
        }),
        response: answers(z.array(Cron)),
      },
    },
    async ({ body }, reply) => sendPage(reply, await searchCrons(pool, body), body),
  );

  app.post("/runs/crons/count", { schema: { body: z.object(Filter), response: answers(z.number()) } }, async ({ body }, reply) =>
    reply.send(await countCrons(pool, body)),
  );
};
