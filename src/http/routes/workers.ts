import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { listWorkers } from "../../runs/workers.ts";
import { access } from "../admission/access.ts";
import { requireEverything } from "../admission/operator.ts";
import type { ApiDeps } from "../api-deps.ts";
import { answers, ListedWorker } from "../schemas.ts";

/** Lists the workers, for operators. */
export const workerRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, { pool, settings }) => {
  app.get(
    "/workers",
    { schema: { response: answers(z.array(ListedWorker)) }, config: access("threads:search") },
    async (request, reply) => {
      await requireEverything(request, "The workers execute everybody's runs, and you see only your own. Ask with an API key.");
      return reply.send(await listWorkers(pool, settings.leaseSeconds));
    },
  );
};
