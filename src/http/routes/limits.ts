import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { LimitValues } from "../../runs/limit-values.ts";
import { listLimits, overrideLimit, readLimit, resetLimit } from "../../runs/limits.ts";
import { claimTopic } from "../../runs/run.ts";
import { access } from "../admission/access.ts";
import { requireEverything } from "../admission/operator.ts";
import type { ApiDeps } from "../api-deps.ts";
import { answers, KeyOfLimit, QueueLimit, Text } from "../schemas.ts";

const sees = "Limits concern everybody's runs, and you see only your own. Ask with an API key.";
const changes = "Limits concern everybody's runs, and you may change only your own. Ask with an API key.";
const OneLimit = z.object({ name: Text.min(1).max(200) });
const WithKeys = QueueLimit.extend({ keys: z.array(KeyOfLimit) });

/** Lists the limits of the queue and changes them, for operators. */
export const limitRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, { pool, log, wakeups }) => {
  app.get("/limits", { schema: { response: answers(z.array(QueueLimit)) }, config: access("threads:search") }, async (request, reply) => {
    await requireEverything(request, sees);
    return reply.send(await listLimits(pool));
  });

  app.get(
    "/limits/:name",
    { schema: { params: OneLimit, response: answers(WithKeys) }, config: access("threads:search") },
    async (request, reply) => {
      await requireEverything(request, sees);
      return reply.send(await readLimit(pool, request.params.name));
    },
  );

  app.put(
    "/limits/:name",
    { schema: { params: OneLimit, body: LimitValues, response: answers(WithKeys) }, config: access("threads:update") },
    async (request, reply) => {
      await requireEverything(request, changes, "threads:update");
      const { name } = request.params;
      await overrideLimit(pool, name, request.body);
      wakeups.notify(claimTopic);
      log.warn({ user: request.user?.identity, limit: name, values: request.body }, "a limit was changed over the API");
      return reply.send(await readLimit(pool, name));
    },
  );

  app.delete("/limits/:name", { schema: { params: OneLimit }, config: access("threads:update") }, async (request, reply) => {
    await requireEverything(request, changes, "threads:update");
    const { name } = request.params;
    await resetLimit(pool, name);
    wakeups.notify(claimTopic);
    log.warn({ user: request.user?.identity, limit: name }, "the values of a limit that were set over the API were removed");
    return reply.code(204).send();
  });
};
