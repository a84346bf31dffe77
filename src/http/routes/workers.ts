import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { haltRuns, resumeRuns } from "../../runs/halt.ts";
import { listWorkers } from "../../runs/workers.ts";
import { access } from "../admission/access.ts";
import { requireEverything } from "../admission/operator.ts";
import type { ApiDeps } from "../api-deps.ts";
import { answers, ListedWorker } from "../schemas.ts";

const ofAll = "The workers execute everybody's runs, and you may change only your own. Ask with an API key.";

/** Lists the workers, halts their work and resumes it, for operators. */
export const workerRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, { pool, settings, log }) => {
  app.get(
    "/workers",
    { schema: { response: answers(z.array(ListedWorker)) }, config: access("threads:search") },
    async (request, reply) => {
      await requireEverything(request, "The workers execute everybody's runs, and you see only your own. Ask with an API key.");
      return reply.send(await listWorkers(pool, settings.leaseSeconds));
    },
  );

  for (const [action, change] of Object.entries({ halt: haltRuns, resume: resumeRuns }))
    app.post(`/workers/${action}`, { config: access("threads:update") }, async (request, reply) => {
      await requireEverything(request, ofAll, "threads:update");
      await change(pool);
      log.warn({ user: request.user?.identity }, `the work was changed over the API: ${action}`);
      return reply.code(204).send();
    });
};
