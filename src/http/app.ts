import Fastify, { type FastifyBaseLogger, type FastifyInstance } from "fastify";
import { validatorCompiler } from "fastify-type-provider-zod";
import { ServiceError } from "../errors.ts";
import type { Project } from "../registry/project.ts";
import { guardRoutes } from "./access.ts";
import { answerErrors, refuseConnection, refusePath } from "./answer-errors.ts";
import { acceptJsonBodies } from "./body.ts";
import { allowBrowsers } from "./cors.ts";
import { documentApi } from "./document.ts";
import type { StreamCounts } from "./follow.ts";
import type { ApiRooms } from "./rooms.ts";
import { assistantRoutes } from "./routes/assistants.ts";
import { cronRoutes } from "./routes/crons.ts";
import { graphRoutes } from "./routes/graphs.ts";
import { metaRoutes } from "./routes/meta.ts";
import { singleRunRoutes } from "./routes/run.ts";
import { runRoutes } from "./routes/runs.ts";
import { stateRoutes } from "./routes/state.ts";
import { storeRoutes } from "./routes/store.ts";
import { threadRoutes } from "./routes/threads.ts";
import { webhookRoutes } from "./routes/webhooks.ts";

/** The API. It serves; it executes nothing. */
export async function buildApp(rooms: ApiRooms, http: Project["http"]): Promise<FastifyInstance> {
  // Fastify's two lines a request are for debugging; a run has lines of its own.
  const loggerInstance: FastifyBaseLogger = rooms.log.child({}, { level: rooms.log.level === "info" ? "warn" : rooms.log.level });
  const app = Fastify({
    loggerInstance,
    bodyLimit: rooms.settings.bodyLimitBytes,
    forceCloseConnections: true,
    frameworkErrors: refusePath,
    clientErrorHandler: refuseConnection,
    routerOptions: { maxParamLength: 2_000, ignoreTrailingSlash: true },
  });
  app.setValidatorCompiler(validatorCompiler);
  // The response schemas are documentation: what we send was typed by the compiler, and checking it again costs on every answer.
  app.setSerializerCompiler(() => JSON.stringify);
  answerErrors(app);
  acceptJsonBodies(app);
  refuseFloods(app, rooms);
  await allowBrowsers(app, http.cors);
  guardRoutes(app, rooms.auth); // after the hooks that answer preflights, which carry no credentials
  await documentApi(app, rooms.version);

  const counts: StreamCounts = new Map();
  const options = { ...rooms, counts };
  if (!http.disable_meta) await app.register(metaRoutes, options);
  if (!http.disable_assistants) await app.register(assistantRoutes, options);
  if (!http.disable_assistants) await app.register(graphRoutes, options);
  if (!http.disable_threads) await app.register(threadRoutes, options);
  if (!http.disable_threads) await app.register(stateRoutes, options);
  if (!http.disable_runs) await app.register(runRoutes, options);
  if (!http.disable_runs) await app.register(singleRunRoutes, options);
  if (!http.disable_runs) await app.register(cronRoutes, options);
  if (!http.disable_runs) await app.register(webhookRoutes, options);
  if (!http.disable_store) await app.register(storeRoutes, options);
  return app;
}

/** When the database is that far behind, more requests only make it later for all: they are asked to come again. */
function refuseFloods(app: FastifyInstance, { pool, settings }: ApiRooms): void {
  app.addHook("onRequest", async ({ method }) => {
    if (method === "GET") return; // a look costs little, and health checks must be answered
    if (pool.waitingCount > settings.maxWaiting)
      throw new ServiceError("too_many", "Too many requests are waiting for the database; try again in a moment.");
  });
}
