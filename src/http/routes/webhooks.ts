import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { listDeadWebhooks, redriveWebhooks } from "../../webhooks/dead-webhooks.ts";
import { webhookTopic } from "../../webhooks/webhooks.ts";
import { access } from "../admission/access.ts";
import { sendPage } from "../answers/lists.ts";
import type { ApiDeps } from "../api-deps.ts";
import { answers, DeadWebhook, Id, Limit, Offset } from "../schemas.ts";

/** Lists the webhook deliveries that have failed for good, and sends such deliveries again on request. */
export const webhookRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, { pool, wakeups }) => {
  app.get(
    "/webhooks/dead",
    {
      schema: { querystring: z.object({ limit: Limit, offset: Offset }), response: answers(z.array(DeadWebhook)) },
      config: access("threads:search"),
    },
    async (request, reply) => {
      const { scope, value: page } = await request.access("threads:search", { ...request.query });
      return sendPage(reply, await listDeadWebhooks(pool, scope, page), page);
    },
  );

  app.post(
    "/webhooks/redrive",
    {
      schema: {
        body: z.object({ run_ids: z.array(Id).min(1).max(1_000).nullish() }),
        response: answers(z.object({ run_ids: z.array(Id) })),
      },
      config: access("threads:update"),
    },
    async (request, reply) => {
      const named = request.body.run_ids ?? undefined;
      const { scope } = await request.access("threads:update", { metadata: { run_ids: named } });
      const runIds = await redriveWebhooks(pool, scope, { runIds: named }, request.user?.identity);
      wakeups.notify(webhookTopic);
      return reply.send({ run_ids: runIds });
    },
  );
};
