import websocket from "@fastify/websocket";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest } from "fastify";
import { type FastifyPluginAsyncZod, validatorCompiler } from "fastify-type-provider-zod";
import { sealingUser } from "../db/sealable.ts";
import { ServiceError } from "../errors.ts";
import type { HttpOptions } from "../registry/http-options.ts";
import type { UserApp } from "../registry/user-app.ts";
import { isBundlePath } from "../ui/bundles.ts";
import { guardRoutes } from "./admission/access.ts";
import { type Admitted, admissionOf } from "./admission/admission.ts";
import { countStreams, type StreamCounts } from "./admission/places.ts";
import { answerErrors, pathOf, refuseConnection, refusePath } from "./answers/answer-errors.ts";
import type { ApiDeps } from "./api-deps.ts";
import { documentApi } from "./document.ts";
import { acceptJsonBodies } from "./front/body.ts";
import { headerPicker } from "./front/configurable-headers.ts";
import { type AllowedOrigins, allowBrowsers, allowedOrigins, corsHeaders } from "./front/cors.ts";
import { createGate, type Gate } from "./front/gate.ts";
import { fetchInMemory } from "./front/memory-fetch.ts";
import { type Approach, arrivalLimits, serverFactory, wantsSocket } from "./front/server.ts";
import { openAiRoutes } from "./openai/routes.ts";
import { a2aRoutes } from "./routes/a2a.ts";
import { assistantRoutes } from "./routes/assistants.ts";
import { cancellationRoutes } from "./routes/cancellation.ts";
import { consoleRoutes } from "./routes/console.ts";
import { cronRoutes } from "./routes/crons.ts";
import { feedbackRoutes } from "./routes/feedback.ts";
import { graphRoutes } from "./routes/graphs.ts";
import { interruptRoutes } from "./routes/interrupts.ts";
import { letterRoutes } from "./routes/letters.ts";
import { limitRoutes } from "./routes/limits.ts";
import { mcpRoutes } from "./routes/mcp.ts";
import { healthRoute, metaRoutes } from "./routes/meta.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { planRoutes } from "./routes/plans.ts";
import { resourceRoutes } from "./routes/resources.ts";
import { singleRunRoutes } from "./routes/run.ts";
import { runSearchRoutes } from "./routes/run-search.ts";
import { runStatsRoutes } from "./routes/run-stats.ts";
import { runRoutes } from "./routes/runs.ts";
import { stateRoutes } from "./routes/state.ts";
import { statsRoutes } from "./routes/stats.ts";
import { storeRoutes } from "./routes/store.ts";
import { type StreamingDeps, streamingRoutes } from "./routes/streaming.ts";
import { threadRoutes } from "./routes/threads.ts";
import { uiRoutes } from "./routes/ui.ts";
import { usageRoutes } from "./routes/usage.ts";
import { webhookRoutes } from "./routes/webhooks.ts";
import { workerRoutes } from "./routes/workers.ts";

/** Builds the HTTP API. The API only handles requests, and workers execute the runs. */
export async function buildApp(deps: ApiDeps, http: HttpOptions, inFront?: UserApp): Promise<FastifyInstance> {
  const prefix = http.mount_prefix ?? "";
  const admittance = admittanceOf(deps, http);
  const arrival = arrivalLimits(deps.settings.requestTimeoutSeconds);
  const app = Fastify({
    loggerInstance: requestLogger(deps, http),
    ...((prefix || inFront) && { serverFactory: serverFactory(approach(deps, http, admittance, inFront), arrival) }),
    bodyLimit: deps.settings.bodyLimitBytes,
    forceCloseConnections: true,
    requestTimeout: arrival.requestTimeout,
    http: { shouldUpgradeCallback: wantsSocket, ...arrival },
    frameworkErrors: refusePath,
    clientErrorHandler: refuseConnection,
    // If the project's app receives requests first, a path with a trailing slash must not lead to a route. The app's middleware would not
    // recognise such a path, so a request could bypass a guard.
    routerOptions: { maxParamLength: 2_000, ignoreTrailingSlash: inFront === undefined },
  });
  app.setValidatorCompiler(validatorCompiler);
  // The response schemas serve only as documentation. The TypeScript compiler has already checked the responses, and a check at run time
  // would slow down every response.
  app.setSerializerCompiler(() => JSON.stringify);
  answerErrors(app);
  acceptJsonBodies(app, admittance.origins, deps.memory);
  await acceptSockets(app, deps); // closes the connection of a refused upgrade, so it must come before the hooks that refuse
  refuseForeignPages(app, admittance.gate);
  refuseFloods(app, deps);
  await allowBrowsers(app, http.cors ?? {}, admittance.origins);
  // must come after the hooks that respond to preflights, because preflights carry no credentials
  guardRoutes(app, deps.auth, admittance.admitted);
  if (deps.cipher?.needsUser) encryptForUsers(app);
  if (!http.disable_meta) await documentApi(app, deps.version, prefix);

  await registerRoutes(app, deps, http, inFront);
  return app;
}

/** Registers the routes that the project has not turned off. */
async function registerRoutes(app: FastifyInstance, deps: ApiDeps, http: HttpOptions, inFront: UserApp | undefined): Promise<void> {
  const mountedAt = http.mount_prefix ?? "";
  const counts: StreamCounts = new Map();
  deps.metrics.watchStreams(() => countStreams(counts));
  const options = { ...deps, counts, threadsOfUsers: http.openai_user_threads ?? false };
  await app.register(http.disable_meta ? healthRoute : metaRoutes, options);
  if (!http.disable_meta) await app.register(metricsRoutes, options);
  if (!http.disable_assistants) await app.register(assistantRoutes, options);
  if (!http.disable_assistants) await app.register(graphRoutes, options);
  if (!http.disable_threads) await app.register(threadRoutes, options);
  if (!http.disable_threads) await app.register(stateRoutes, options);
  if (!http.disable_threads) await app.register(interruptRoutes, options);
  if (!http.disable_threads) await app.register(planRoutes, options);
  const askFront = inFront && fetchInMemory(app.server, mountedAt);
  if (!http.disable_runs) await app.register(routesOfRuns, { ...options, askFront });
  if (!http.disable_a2a) await app.register(a2aRoutes, options);
  if (!http.disable_mcp) await app.register(mcpRoutes, options);
  if (!http.disable_openai && !http.disable_runs) await app.register(openAiRoutes, options);
  if (!http.disable_store) await app.register(storeRoutes, options);
  if (deps.ui) await app.register(uiRoutes, { bundles: deps.ui, mountedAt });
  await app.register(consoleRoutes, { ...deps.console, auth: deps.auth, version: deps.version, mountedAt });
}

const routesOfRuns: FastifyPluginAsyncZod<StreamingDeps> = async (app, options) => {
  const groups = [
    runRoutes,
    runSearchRoutes,
    runStatsRoutes,
    singleRunRoutes,
    feedbackRoutes,
    cancellationRoutes,
    cronRoutes,
    webhookRoutes,
    letterRoutes,
    workerRoutes,
    limitRoutes,
    statsRoutes,
    resourceRoutes,
    usageRoutes,
  ];
  for (const routes of groups) await app.register(routes, options);
  await app.register(streamingRoutes, options);
};

/**
 * Returns the logger for requests. Fastify logs two lines for each request. They appear only at the level "debug", because runs have log
 * lines of their own. A line contains the headers that `logging_headers` selects, and the path. The query is left out, because it may
 * contain tokens.
 */
function requestLogger({ log }: ApiDeps, { logging_headers }: HttpOptions): FastifyBaseLogger {
  const level = log.level === "info" ? "warn" : log.level;
  const pickHeaders = logging_headers && headerPicker(logging_headers, []);
  const req = ({ method, url, host, ip, headers }: FastifyRequest) => ({
    method,
    url: pathOf(url),
    ...(pickHeaders ? { headers: pickHeaders(headers) } : { host, remoteAddress: ip }),
  });
  return log.child({}, { level, serializers: { req } });
}

/**
 * The parts that decide which requests are admitted: the check for foreign web pages (`gate`), the allowed origins, and the users who are
 * already authenticated.
 */
interface Admittance {
  admitted: Admitted;
  gate: Gate;
  origins: AllowedOrigins;
}

function admittanceOf({ auth, settings, ui }: ApiDeps, http: HttpOptions): Admittance {
  const origins = allowedOrigins(http.cors ?? {}, auth !== undefined);
  const rules = { proof: auth?.proof ?? ("none" as const), hosts: settings.hosts, origins, onlyLocal: settings.onlyLocal };
  return { admitted: new WeakMap(), gate: createGate(rules, (path) => isBundlePath(ui, path)), origins };
}

function approach(
  { log, auth, settings, ui }: ApiDeps,
  http: HttpOptions,
  { admitted, gate, origins }: Admittance,
  app: UserApp | undefined,
): Approach {
  const { bodyLimitBytes } = settings;
  const admission = admissionOf(http, app !== undefined && "hono" in app);
  return {
    prefix: http.mount_prefix ?? "",
    app,
    front: {
      auth,
      admission,
      admitted,
      gate,
      ui,
      bodyLimitBytes,
      log,
      corsHeaders: (origin) => corsHeaders(http.cors ?? {}, origins, origin),
    },
  };
}

/**
 * Accepts WebSockets. A frame may be as large as a request body. When the service stops, it closes its sockets, so that the clients
 * reconnect to another process.
 */
async function acceptSockets(app: FastifyInstance, { settings }: ApiDeps): Promise<void> {
  await app.register(websocket, {
    options: { maxPayload: settings.bodyLimitBytes },
    preClose: (done) => {
      for (const client of app.websocketServer.clients) client.terminate();
      app.websocketServer.close(done);
    },
  });
}

/** Makes each request use the key of its user to encrypt the values that the request stores. */
function encryptForUsers(app: FastifyInstance): void {
  // This hook calls `done` inside `sealingUser.run`, so that the following hooks and the route know the user. At `preValidation`, Fastify
  // has already read the body.
  app.addHook("preValidation", (request, _reply, done) => sealingUser.run(request.user, done));
}

function refuseForeignPages(app: FastifyInstance, gate: Gate): void {
  app.addHook("onRequest", async ({ raw }) => {
    const sentence = gate(raw);
    if (sentence !== undefined) throw new ServiceError("forbidden", sentence);
  });
}

/** Refuses requests with 429 while too many requests wait for the database, because further requests would only delay all of them. */
function refuseFloods(app: FastifyInstance, { pool, settings }: ApiDeps): void {
  app.addHook("onRequest", async ({ method }) => {
    if (method === "GET") return; // GET requests cost little, and health checks must succeed
    if (pool.waitingCount > settings.maxWaiting)
      throw new ServiceError("too_many", "Too many requests are waiting for the database. Try again in a moment.");
  });
}
