import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { access } from "../admission/access.ts";
import { requireEverything } from "../admission/operator.ts";
import type { ApiDeps } from "../api-deps.ts";

const countsOfAll =
  "The metrics count what is everybody's, and you see what is your own. A scraper takes an API key, or asks at ENSEMBLE_METRICS_PORT.";

/** Serves the metrics of the queue, the runs, the database and the process, for monitoring tools. */
export const metricsRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, { metrics }) => {
  app.get(
    "/metrics",
    {
      schema: { querystring: z.object({ format: z.enum(["prometheus", "json"]).default("prometheus") }) },
      config: access("threads:search"),
    },
    async (request, reply) => {
      await requireEverything(request, countsOfAll);
      const { type, text } = await metrics.read(request.query.format);
      return reply.type(type).send(text);
    },
  );
};
