import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { ApiRooms } from "../rooms.ts";

/** What the operator's tools read: the queue, the work, the database, the process. */
export const metricsRoutes: FastifyPluginAsyncZod<ApiRooms> = async (app, { metrics }) => {
  app.get(
    "/metrics",
    {
      schema: { querystring: z.object({ format: z.enum(["prometheus", "json"]).default("prometheus") }) },
      config: { access: "signed-in" },
    },
    async ({ query }, reply) => {
      const { type, text } = await metrics.read(query.format);
      return reply.type(type).send(text);
    },
  );
};
