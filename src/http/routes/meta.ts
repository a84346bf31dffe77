import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { sql } from "../../db/sql.ts";
import { ServiceError } from "../../errors.ts";
import { isHalted } from "../../runs/halt.ts";
import type { ApiDeps } from "../api-deps.ts";
import { Flag } from "../schemas.ts";

const langgraph: { version: string } = createRequire(import.meta.url)("@langchain/langgraph/package.json");

/** How many milliseconds a health check waits for the database. */
const checkMs = 2_000;

async function within(ms: number, answer: Promise<unknown>): Promise<void> {
  const late = new AbortController();
  const timeout = sleep(ms, undefined, { signal: late.signal }).then(() => {
    throw new ServiceError("unavailable", "The database does not answer.");
  });
  await Promise.race([answer, timeout]).finally(() => late.abort());
}

export const metaRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, { pool, version, model, settings }) => {
  app.get(
    "/ok",
    { schema: { querystring: z.object({ check_db: Flag.optional() }) }, config: { access: "signed-in" } },
    async ({ query }, reply) => {
      if (query.check_db) await within(checkMs, pool.query(sql`select 1`));
      return reply.send({ ok: true });
    },
  );

  // This route is public, because clients read it before they know how to authenticate.
  app.get("/info", { config: { access: "public" } }, async (_request, reply) =>
    reply.send({
      halted: await isHalted(pool).catch(() => null), // null means unknown, because the database does not respond
      version,
      model,
      langgraph_js_version: langgraph.version,
      context: "js",
      flags: { assistants: true, crons: true, langsmith: settings.langsmith, langsmith_tracing_replicas: false, strict_resume: true },
    }),
  );
};

/** Serves health checks if the other meta routes are disabled. */
export const healthRoute: FastifyPluginAsyncZod<ApiDeps> = async (app) => {
  app.get("/ok", { config: { access: "signed-in" } }, async (_request, reply) => reply.send({ ok: true }));
};
