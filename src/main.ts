import type { Pool } from "pg";
import type { Logger } from "pino";
import { keyHeaders } from "./auth/keys.ts";
import { type Config, setPatternLimits, variable } from "./config.ts";
import { explainDatabase } from "./db/address.ts";
import { startWakeups } from "./db/listen.ts";
import { startFeed } from "./events/feed.ts";
import { feedbackTokens } from "./feedback/tokens.ts";
import type { MountedApi } from "./http/front/mounted.ts";
import { createLogger } from "./log.ts";
import { listenForScrapers } from "./metrics/listener.ts";
import { startMetrics } from "./metrics/metrics.ts";
import { needsEndpoint } from "./registry/embeddings.ts";
import { type FirstCall, findFirstCall } from "./registry/first-call.ts";
import { compareLangGraph } from "./registry/installed.ts";
import { foldersOf, type Project, readProject } from "./registry/project.ts";
import { offerGraphs } from "./registry/project-graphs.ts";
import { loadProjectParts } from "./registry/project-parts.ts";
import { loadRegistry, type Registry } from "./registry/registry.ts";
import { type Fetch, fetchAt, installFetch, withTraceparent } from "./sdk/fetch.ts";
import { installLogger } from "./sdk/logger.ts";
import { type Closers, closeAll } from "./startup/closers.ts";
import { graphsWithoutSchemas, loadForApi, provideModel, provideStore, storeProject } from "./startup/load-project.ts";
import { configuredDatabase, type Database, openDatabase } from "./startup/open-database.ts";
import { provideCipher } from "./startup/provide-cipher.ts";
import { startApi, startMountedApi } from "./startup/start-api.ts";
import { startWork } from "./startup/start-work.ts";
import { webhookOptions } from "./startup/webhook-options.ts";
import { startThreadFeed } from "./streaming/thread-feed.ts";
import { startTracing } from "./tracing/start-tracing.ts";
import { version } from "./version.ts";
import { attemptAtWork } from "./worker/attempts.ts";
import { startDeliveries } from "./worker/deliveries.ts";

/** The service in this process, with one or both of its roles: API and worker. */
export interface Service {
  /** The URL of the API. Undefined if the process is only a worker, or if the service runs inside another HTTP server. */
  url: string | undefined;
  /** The URL of the metrics. Undefined if ENSEMBLE_METRICS_PORT is not set. */
  metricsUrl: string | undefined;
  graphIds: string[];
  /** A simple first request to show to the user. Undefined in a process that is only a worker, or if no graph accepts a simple input. */
  firstCall: FirstCall | undefined;
  embedded: boolean;
  /**
   * A warning for the user that the project has installed another version of LangGraph than the one that executes its graphs. Undefined if
   * the versions are the same.
   */
  langgraph: string | undefined;
  /** Stops claiming runs, lets running runs reach a safe point, and then closes everything. */
  stop(): Promise<void>;
  /** Stops waiting for running runs. They go back to the queue immediately, so that `stop` can finish. */
  hurry(): void;
}

/**
 * Starts the service with this configuration. Creates all parts of the service and connects them. `stop` closes the parts in reverse order.
 * The signal `stopping` aborts a start that still waits for the database.
 */
export async function startService(
  config: Config,
  log: Logger = createLogger(config.logLevel, false),
  stopping?: AbortSignal,
): Promise<Service> {
  return (await start(config, undefined, { log, stopping })).service;
}

/** Where another HTTP server mounts the service. */
export interface Mount {
  /** The path of the service, such as "/agents". The project's own prefix follows it. */
  prefix: string;
  /** Returns the origin of the server, such as "http://127.0.0.1:3000". Returns undefined while the server does not listen. */
  origin: () => string | undefined;
}

/** Starts the service without a port. Another HTTP server passes its requests to `mounted`. */
export async function mountService(
  config: Config,
  mount: Mount,
  options: { log: Logger; stopping: AbortSignal },
): Promise<{ service: Service; mounted: MountedApi; mountedUrl: () => string | undefined }> {
  if (config.role === "worker")
    throw new Error("ENSEMBLE_ROLE=worker has no API, so there is nothing to mount. Start a worker with startService().");
  const { service, mounted, mountedUrl } = await start(config, mount, options);
  if (!mounted) throw new Error("The service has started without its API.");
  return { service, mounted, mountedUrl };
}

interface Composed {
  service: Service;
  /** The API of a mounted service. */
  mounted: MountedApi | undefined;
  /** Returns the URL of a mounted service. Returns undefined while the other server does not listen. */
  mountedUrl: () => string | undefined;
}

async function start(
  config: Config,
  mount: Mount | undefined,
  { log, stopping }: { log: Logger; stopping: AbortSignal | undefined },
): Promise<Composed> {
  const closers: Closers = [];
  try {
    return await compose(config, mount, { log, closers, stopping });
  } catch (error) {
    await closeAll(closers, log);
    throw error;
  }
}

async function compose(
  config: Config,
  mount: Mount | undefined,
  { log, closers, stopping }: { log: Logger; closers: Closers; stopping: AbortSignal | undefined },
): Promise<Composed> {
  const { role } = config;
  const given = configuredDatabase(config);
  const project = await openProject(config, mount, log);
  const langgraph = compareLangGraph(foldersOf(project));
  closers.push(setPatternLimits(config, project.patterns));
  // Some graphs create their model client while they are loaded, so the model must be available before the graphs are loaded.
  const model = await provideModel(config, needsEndpoint(project), log, closers);
  const ownFetch = installFetch();
  closers.push(ownFetch.restore, installLogger(log, attemptAtWork));
  closers.push(await loadProjectParts(project, variable)); // before the graphs, because the graphs' agents may refer to these parts
  const registry = await loadGraphs(project, log, closers);
  const forApi = role === "worker" ? undefined : await loadForApi(config, project, log, mount !== undefined);
  const ownApi = Promise.withResolvers<Fetch>();
  ownFetch.answerWith(ownApi.promise); // not earlier, because an SDK call at the top level of a file would then wait forever. Now it fails
  const storeOn = await provideStore(config, project, log);
  const hooks = webhookOptions(config, project);

  const cipher = await provideCipher(config, project, log);
  const { pool, directUrl } = await openDatabase(config, given, { log, closers, stopping, cipher });
  await storeProject(pool, project, registry, config);
  const { threadFeed, ...feeds } = await startFeeds({ pool, directUrl }, role !== "worker", log, closers);
  const { metrics, metricsUrl, tracing } = await startWatching(config, pool, log, closers);
  const own = { store: await storeOn(pool), prices: project.prices, feedback: feedbackTokens(pool, config) };
  const deps = { pool, ...feeds, ...own, registry, log, metrics: metrics.work, tracing, cipher };
  const worker = role === "api" ? undefined : await startWork(config, project, directUrl, deps, closers);
  const apiDeps = forApi && { ...deps, ...forApi, threadFeed, metrics, model, webhookRules: hooks.rules };
  const api = apiDeps && (await (mount ? startMountedApi : startApi)(config, project, apiDeps, closers));
  ownApi.resolve(withTraceparent(api?.fetch ?? fetchAt(config.serviceUrl), () => tracing?.traceparent()));

  const mountedUrl = () => urlAt(mount?.origin(), project);
  // The deliveries are started after the API, because a webhook whose URL is only a path calls our own API.
  const way = { ...hooks, ownUrl: () => mountedUrl() ?? api?.url ?? config.serviceUrl, ownHeaders: keyHeaders(config.ownKey) };
  if (worker) closers.push(startDeliveries(deps, way).stop);
  await warnOfEmptySchemas(registry, project, log);
  const firstCall = api && (await findFirstCall(registry));
  const facts = {
    url: api?.url,
    metricsUrl,
    graphIds: registry.graphIds,
    firstCall,
    embedded: config.databaseUrl === undefined,
    langgraph,
  };
  return { service: { ...facts, stop: () => closeAll(closers, log), hurry: () => worker?.abort() }, mounted: api?.mounted, mountedUrl };
}

/** Reads the project. For a mounted service, puts the path of the mount before the project's own prefix. */
async function openProject({ configFile }: Config, mount: Mount | undefined, log: Logger): Promise<Project> {
  const project = await readProject(configFile);
  reportUnread(project, log);
  const { http } = project;
  return mount ? { ...project, http: { ...http, mount_prefix: mount.prefix + (http.mount_prefix ?? "") } } : project;
}

const urlAt = (origin: string | undefined, { http }: Project) => (origin === undefined ? undefined : origin + (http.mount_prefix ?? ""));

async function warnOfEmptySchemas(registry: Registry, project: Project, log: Logger): Promise<void> {
  const undescribed = await graphsWithoutSchemas(registry, project);
  if (undescribed.length > 0)
    log.warn(
      `The schemas of these graphs are empty, because they have no zod or StateSchema and the project has no typescript 5 to read their types: ${undescribed.join(", ")}`,
    );
}

/** Loads the project's graphs. The patterns, which are ready-made graphs, can then run each of these graphs by its id. */
async function loadGraphs({ graphs }: Project, log: Logger, closers: Closers) {
  const offered = offerGraphs(graphs.map(({ graphId }) => graphId));
  closers.push(offered.withdraw);
  const registry = await loadRegistry(graphs, (sentence) => log.warn(sentence));
  offered.openWith((graphId) => registry.open(graphId));
  return registry;
}

/** Logs the keys of the project file that have no effect. */
function reportUnread({ file, ignoredKeys, buildKeys }: Project, log: Logger): void {
  if (ignoredKeys.length > 0) log.warn(`${file}: these keys are not supported and are ignored: ${ignoredKeys.join(", ")}`);
  if (buildKeys.length > 0) log.info(`${file}: these keys are for building images and are not read: ${buildKeys.join(", ")}`);
}

/**
 * Starts the wakeups and the feeds. Wakeups notify this process of changes in the database. The feeds pass the events of runs and threads
 * to their followers.
 */
async function startFeeds({ pool, directUrl }: Database, follows: boolean, log: Logger, closers: Closers) {
  const onError = (err: Error) => log.warn({ err }, "database error, retrying");
  const wakeups = await startWakeups({ pool, url: directUrl, follows, onError }).catch(explainDatabase(directUrl));
  closers.push(wakeups.stop);
  const feed = startFeed(pool, wakeups, onError);
  closers.push(feed.stop);
  const threadFeed = startThreadFeed({ pool, feed, wakeups, onError });
  closers.push(threadFeed.stop);
  return { wakeups, feed, threadFeed };
}

/** Starts the metrics and the tracing. */
async function startWatching(config: Config, pool: Pool, log: Logger, closers: Closers) {
  const { poolSize, slots, leaseSeconds, role } = config;
  const metrics = startMetrics({ pool, poolSize, slots, leaseSeconds, version, role });
  closers.push(metrics.stop);
  const scraping = await listenForScrapers(metrics, config, log);
  if (scraping) closers.push(scraping.stop);
  const tracing = config.tracing && role !== "api" ? await startTracing({ ...config.tracing, log, version }) : undefined;
  if (tracing) closers.push(tracing.stop);
  return { metrics, metricsUrl: scraping?.url, tracing };
}
