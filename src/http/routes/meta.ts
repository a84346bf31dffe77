import { createRequire } from "node:module";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { sql } from "../../db/sql.ts";
import { isHalted } from "../../runs/halt.ts";
import type { ApiRooms } from "../rooms.ts";
import { Flag } from "../schemas.ts";

const langgraph: { version: string } = createRequire(import.meta.url)("@langchain/langgraph/package.json");

export const metaRoutes: FastifyPluginAsyncZod<ApiRooms> = async (app, { pool, version }) => {
  app.get("/ok", { schema: { querystring: z.object({ check_db: Flag.optional() }) } }, async ({ query }, reply) => {
    if (query.check_db) await pool.query(sql`select 1`);
    return reply.send({ ok: true });
  });

  app.get("/info", async (_request, reply) =>
    reply.send({
      halted: await isHalted(pool).catch(() => null), // not known while the database is away
      version,
      langgraph_js_version: langgraph.version,
      context: "js",
      flags: { assistants: true, crons: false, langsmith: false, langsmith_tracing_replicas: false },
    }),
  );
};
