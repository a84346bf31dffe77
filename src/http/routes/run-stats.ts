import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { runHistory } from "../../runs/history.ts";
import { access } from "../admission/access.ts";
import { requireEverything } from "../admission/operator.ts";
import type { ApiDeps } from "../api-deps.ts";
import { answers } from "../schemas.ts";

const count = z.number().int();
const RunStats = z
  .object({
    now: z.iso.datetime(),
    minutes: z
      .array(z.object({ at: z.iso.datetime(), created: count, success: count, error: count, timeout: count, interrupted: count }))
      .describe("the minutes of the last hour in which runs were created or ended, the oldest first"),
  })
  .meta({ id: "RunStats" });

/** Serves, for each minute of the last hour, how many runs were created and how many ended. Only operators may read this. */
export const runStatsRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, { pool }) => {
  const read = runHistory(pool);
  app.get("/runs/stats", { schema: { response: answers(RunStats) }, config: access("threads:search") }, async (request, reply) => {
    await requireEverything(request, "These are the numbers of everybody's runs, and you see only your own. Ask with an API key.");
    return reply.send(await read());
  });
};
