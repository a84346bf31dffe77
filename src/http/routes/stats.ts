import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { readStats } from "../../stats/service-stats.ts";
import { access } from "../admission/access.ts";
import { requireEverything } from "../admission/operator.ts";
import type { ApiDeps } from "../api-deps.ts";
import { ServiceStats } from "../schemas/stats-schemas.ts";
import { answers, Text, Time } from "../schemas.ts";

const statsSchema = {
  querystring: z.object({
    graph: Text.min(1).optional().describe("the id of a graph. Default: all graphs"),
    since: Time.optional().describe("the first hour that counts. Default: the hour that began 24 hours ago"),
  }),
  response: answers(ServiceStats),
};

/** Serves how many runs were created and ended, and the health of each agent, for operators. */
export const statsRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, { pool }) => {
  app.get("/stats", { schema: statsSchema, config: access("threads:search") }, async (request, reply) => {
    await requireEverything(request, "These are the numbers of everybody's runs, and you see only your own. Ask with an API key.");
    return reply.send(await readStats(pool, request.query));
  });
};
