import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { listDeadWebhooks, redriveWebhooks, webhookTopic } from "../../webhooks/webhooks.ts";
import { sendPage } from "../lists.ts";
import type { ApiRooms } from "../rooms.ts";
import { answers, DeadWebhook, Id, Limit, Offset } from "../schemas.ts";

/** Deliveries that were given up: seeing them, and having them tried again. */
export const webhookRoutes: FastifyPluginAsyncZod<ApiRooms> = async (app, { pool, wakeups }) => {
  app.get(
    "/webhooks/dead",
    { schema: { querystring: z.object({ limit: Limit, offset: Offset }), response: answers(z.array(DeadWebhook)) } },
    async ({ query }, reply) => sendPage(reply, await listDeadWebhooks(pool, query), query),
  );

  app.post(
    "/webhooks/redrive",
    {
      schema: {
        body: z.object({ run_ids: z.array(Id).min(1).max(1_000).nullish() }),
        response: answers(z.object({ run_ids: z.array(Id) })),
      },
    },
    async ({ body }, reply) => {
      const runIds = await redriveWebhooks(pool, body.run_ids ?? undefined);
      wakeups.tell(webhookTopic);
      return reply.send({ run_ids: runIds });
    },
  );
};
