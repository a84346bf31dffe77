import type { FastifyInstance } from "fastify";
import type { Pool } from "pg";
import type { Logger } from "pino";
import { ensureSystemAssistants } from "./assistants/assistants.ts";
import type { Auth } from "./auth/auth.ts";
import { chooseAuth } from "./auth/choose.ts";
import { keyHeaders } from "./auth/keys.ts";
import { type Config, lendAddress, lendModelEndpoint, variable } from "./config.ts";
import { checkDatabaseUrl, explainDatabase } from "./db/address.ts";
import { startEmbeddedPostgres } from "./db/embedded.ts";
import { startWakeups } from "./db/listen.ts";
import { migrateAt } from "./db/migrate.ts";
import { closePool, openPool } from "./db/pool.ts";
import { startFeed } from "./events/feed.ts";
import { buildApp } from "./http/app.ts";
import { headerPicker } from "./http/configurable-headers.ts";
import { fetchInMemory } from "./http/memory-fetch.ts";
import type { ApiRooms } from "./http/rooms.ts";
import { createLogger } from "./log.ts";
import { listenForScrapers } from "./metrics/listener.ts";
import { startMetrics } from "./metrics/metrics.ts";
import { loadEmbedder, needsEndpoint } from "./registry/embeddings.ts";
import { importUserModule } from "./registry/modules.ts";
import { type Project, readProject } from "./registry/project.ts";
import { loadRegistry, type Registry } from "./registry/registry.ts";
import { loadUserApp, type UserApp } from "./registry/user-app.ts";
import { startRehearsal } from "./rehearsal/server.ts";
import { retentionRules } from "./retention/rules.ts";
import { type Fetch, fetchAt, lendFetch, withTraceparent } from "./sdk/fetch.ts";
import { lendLogger } from "./sdk/logger.ts";
import { type StoreRules, storeRules } from "./store/rules.ts";
import { startThreadFeed } from "./streaming/thread-feed.ts";
import { startTracing } from "./tracing/start.ts";
import { provideUi } from "./ui/bundles.ts";
import { version } from "./version.ts";
import { resolveHeaders } from "./webhooks/headers.ts";
import { webhookRules } from "./webhooks/rules.ts";
import { startCrons } from "./worker/crons.ts";
import { startDeliveries } from "./worker/deliveries.ts";
import { startSweeper } from "./worker/sweeper.ts";
import { startTimers } from "./worker/timers.ts";
import { attemptAtWork, startWorker, type Worker } from "./worker/worker.ts";

/** A running service, or the part of one that this process plays. */
export interface Service {
  /** Where the API listens; undefined in a worker. */
  url: string | undefined;
  /** Where ENSEMBLE_METRICS_PORT answers, if it is set. */
  metricsUrl: string | undefined;
  graphIds: string[];
  embedded: boolean;
  /** Lets running work reach a safe place, then closes everything. */
  stop(): Promise<void>;
  /** Gives running work back at once; `stop` then has little to wait for. */
  hurry(): void;
}

type Closer = () => unknown;

/** Starts what the configuration asks for. The only place where the parts meet; they are closed in reverse. */
export async function startService(config: Config, log: Logger = createLogger(config.logLevel, false)): Promise<Service> {
  const closers: Closer[] = [];
  try {
    return await compose(config, log, closers);
  } catch (error) {
    await closeAll(closers, log);
    throw error;
  }
}

async function compose(config: Config, log: Logger, closers: Closer[]): Promise<Service> {
  const givenUrl = config.databaseUrl && checkDatabaseUrl("DATABASE_URL", config.databaseUrl);
  const givenDirectUrl = config.databaseDirectUrl && checkDatabaseUrl("DATABASE_DIRECT_URL", config.databaseDirectUrl);
  const project = await readProject(config.configFile);
  if (project.ignoredKeys.length > 0) log.warn(`${project.file}: not supported yet and ignored: ${project.ignoredKeys.join(", ")}`);
  const model = await provideModel(config, needsEndpoint(project), closers); // before the graphs are loaded: some make their client at once
  const ownFetch = lendFetch();
  closers.push(ownFetch.takeBack, lendLogger(log, attemptAtWork));
  const registry = await loadRegistry(project.graphs);
  const { auth, app, ui } = config.role === "worker" ? {} : await loadForApi(config, project, log);
  const ownApi = Promise.withResolvers<Fetch>();
  ownFetch.answerBy(ownApi.promise); // not before: a file that called us while it is loaded would wait for itself
  const store = await provideStore(config, project, log);
  const rules = webhookRules(project.webhooks.url, config.webhookInsideHosts);
  const headers = config.role === "api" ? {} : resolveHeaders(project.webhooks, variable); // their secrets are the workers'

  const url = givenUrl ?? (await embeddedUrl(config, closers));
  const directUrl = givenDirectUrl ?? url;
  await migrateAt(url).catch(explainDatabase(url));
  const pool = openPool({
    url,
    size: config.poolSize,
    queryTimeoutSeconds: config.queryTimeoutSeconds,
    onError: (err) => log.warn({ err }, "a database connection broke"),
  });
  closers.push(() => closePool(pool));
  await ensureSystemAssistants(pool, systemAssistants(registry, config));

  const onError = (err: Error) => log.warn({ err }, "trouble with the database, trying again");
  const wakeups = await startWakeups({ pool, url: directUrl, onError }).catch(explainDatabase(directUrl));
  closers.push(wakeups.stop);
  const feed = startFeed(pool, wakeups, onError);
  closers.push(feed.stop);
  const threadFeed = startThreadFeed({ pool, feed, wakeups, onError });
  closers.push(threadFeed.stop);

  const { metrics, metricsUrl, tracing } = await startWatching(config, pool, log, closers);
  const rooms = { pool, wakeups, feed, registry, store, log, metrics: metrics.work, tracing };
  const worker = config.role === "api" ? undefined : await startWork(config, project, directUrl, rooms, closers);
  const api =
    config.role === "worker"
      ? undefined
      : await startApi(config, project, { ...rooms, threadFeed, metrics, model, auth, ui, webhookRules: rules }, app, closers);
  const apiUrl = api?.url;
  ownApi.resolve(withTraceparent(api?.fetch ?? fetchAt(config.serviceUrl), () => tracing?.traceparent()));
  // After the API, because a path is delivered to our own.
  const { webhookSecrets: secrets, serviceUrl } = config;
  const ownHeaders = keyHeaders(config.ownKey);
  if (worker) closers.push(startDeliveries(rooms, { rules, headers, secrets, ownUrl: apiUrl ?? serviceUrl, ownHeaders }).stop);
  if (model === "rehearsal") log.info("neither OPENAI_API_KEY nor OPENAI_BASE_URL is set: the rehearsal model answers");
  const undescribed = await graphsWithoutSchemas(registry);
  if (undescribed.length > 0) log.warn(`These graphs have no zod or StateSchema, so their schemas are empty: ${undescribed.join(", ")}`);
  return {
    url: apiUrl,
    metricsUrl,
    graphIds: registry.graphIds,
    embedded: config.databaseUrl === undefined,
    stop: () => closeAll(closers, log),
    hurry: () => worker?.abort(),
  };
}

/**
 * Whom the graphs ask, and the store's index. Where there is no endpoint, the rehearsal model is one; an API leaves the graphs to its
 * workers, and does not know whom they ask.
 */
async function provideModel({ hasModelEndpoint, role }: Config, embeds: boolean, closers: Closer[]): Promise<ApiRooms["model"]> {
  if (!hasModelEndpoint && (role !== "api" || embeds)) {
    const rehearsal = await startRehearsal();
    closers.push(rehearsal.stop);
    const takeBack = lendModelEndpoint(rehearsal.baseUrl);
    closers.push(async () => takeBack());
  }
  if (role === "api") return null;
  return hasModelEndpoint ? "external" : "rehearsal";
}

async function provideStore({ hasModelEndpoint, role }: Config, project: Project, log: Logger): Promise<StoreRules> {
  const endpoint = { baseURL: variable("OPENAI_BASE_URL") || undefined, apiKey: variable("OPENAI_API_KEY") || undefined };
  const embedder = await loadEmbedder(project, { ...endpoint, isRehearsal: !hasModelEndpoint });
  if (role === "api" && needsEndpoint(project) && !hasModelEndpoint)
    log.warn("the store's index is the rehearsal model's; if the workers have another endpoint, set it here too (OPENAI_API_KEY)");
  try {
    return storeRules(project.store, embedder);
  } catch (error) {
    throw new Error(`${project.file}: store.index.fields: ${(error as Error).message}`);
  }
}

/** What of the project an API needs, and a worker does not load. */
async function loadForApi(config: Config, project: Project, log: Logger) {
  return {
    auth: await loadAuth(config, project),
    app: project.app && (await loadUserApp(project.app)),
    ui: await provideUi(project, log),
  };
}

/** What operators look at. */
async function startWatching(config: Config, pool: Pool, log: Logger, closers: Closer[]) {
  const { poolSize, slots, leaseSeconds, role } = config;
  const metrics = startMetrics({ pool, poolSize, slots, leaseSeconds, version, role });
  closers.push(metrics.stop);
  const scraping = await listenForScrapers(metrics, config, log);
  if (scraping) closers.push(scraping.stop);
  const tracing = config.tracing && role !== "api" ? await startTracing({ ...config.tracing, log, version }) : undefined;
  if (tracing) closers.push(tracing.stop);
  return { metrics, metricsUrl: scraping?.url, tracing };
}

async function loadAuth(config: Config, { auth }: Project): Promise<Auth | undefined> {
  if (!auth) return chooseAuth(config, undefined);
  const { [auth.exportName]: exported } = await importUserModule(auth.file);
  return chooseAuth(config, { name: `${auth.file}:${auth.exportName}`, exported, disableStudio: auth.disableStudio });
}

async function embeddedUrl({ role, dataDir }: Config, closers: Closer[]): Promise<string> {
  if (role !== "all")
    throw new Error(`ENSEMBLE_ROLE=${role} needs DATABASE_URL: the embedded database serves one process that does everything.`);
  const embedded = await startEmbeddedPostgres(dataDir);
  closers.push(embedded.stop);
  return embedded.url;
}

async function startWork(
  config: Config,
  project: Project,
  url: string,
  rooms: Parameters<typeof startWorker>[0],
  closers: Closer[],
): Promise<Worker> {
  const { runTimeoutSeconds } = config;
  const sweeper = startSweeper(rooms, { runTimeoutSeconds, rules: retentionRules(config, project) });
  closers.push(sweeper.stop);
  closers.push(startTimers(rooms).stop);
  closers.push(startCrons(rooms, config).stop);
  const worker = await startWorker(rooms, url, config);
  closers.push(worker.stop);
  return worker;
}

async function startApi(
  config: Config,
  { http }: Project,
  rooms: Omit<ApiRooms, "version" | "settings">,
  inFront: UserApp | undefined,
  closers: Closer[],
): Promise<{ url: string; fetch: Fetch }> {
  const settings = { ...config, pickHeaders: headerPicker(http.configurable_headers), sendsWebhooks: !http.disable_webhooks };
  const app = await buildApp({ ...rooms, version, settings }, http, inFront);
  closers.push(() => app.close());
  const prefix = http.mount_prefix ?? "";
  const url = (await listen(app, config)) + prefix;
  const takeBack = lendAddress(url);
  closers.push(async () => takeBack());
  return { url, fetch: fetchInMemory(app.server, prefix) };
}

async function listen(app: FastifyInstance, { host, port }: Config): Promise<string> {
  return app.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EADDRINUSE") throw new Error(`Port ${port} on ${host} is taken by another process. Set PORT to a free one.`);
    if (error.code === "EADDRNOTAVAIL") throw new Error(`This machine has no address ${host} (HOST).`);
    if (error.code === "EACCES") throw new Error(`This user may not listen on port ${port}. Set PORT to one above 1023.`);
    throw error;
  });
}

/** A factory may need a configuration to make its graph; such a one is not judged. */
async function graphsWithoutSchemas({ graphIds, schemas }: Registry): Promise<string[]> {
  const known = await Promise.all(graphIds.map((graphId) => schemas(graphId).catch(() => undefined)));
  return graphIds.filter((_, index) => known[index] && Object.keys(known[index].state_schema).length === 0);
}

function systemAssistants(registry: Registry, { graphDefaults }: Config) {
  return registry.graphIds.map((graphId) => {
    const { context = {}, ...config } = graphDefaults[graphId] ?? {};
    return { graph_id: graphId, ...registry.describe(graphId), config, context };
  });
}

async function closeAll(closers: Closer[], log: Logger): Promise<void> {
  for (let close = closers.pop(); close; close = closers.pop()) {
    await (async () => close())().catch((err) => log.error({ err }, "could not be closed cleanly"));
  }
}
