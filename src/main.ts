import type { Logger } from "pino";
import { ensureSystemAssistants } from "./assistants/assistants.ts";
import { keyHeaders } from "./auth/keys.ts";
import { type Config, lendPatternLimits, variable } from "./config.ts";
import { explainDatabase } from "./db/address.ts";
import { startWakeups } from "./db/listen.ts";
import { startFeed } from "./events/feed.ts";
import { createLogger } from "./log.ts";
import { needsEndpoint } from "./registry/embeddings.ts";
import { compareLangGraph } from "./registry/installed.ts";
import { foldersOf, readProject } from "./registry/project.ts";
import { loadRegistry } from "./registry/registry.ts";
import { type Fetch, fetchAt, lendFetch, withTraceparent } from "./sdk/fetch.ts";
import { lendLogger } from "./sdk/logger.ts";
import { startApi } from "./service/api.ts";
import { type Closers, closeAll } from "./service/closers.ts";
import { type Database, givenDatabase, openDatabase } from "./service/database.ts";
import { graphsWithoutSchemas, loadForApi, provideModel, provideStore, systemAssistants } from "./service/project.ts";
import { startWatching } from "./service/watching.ts";
import { startWork } from "./service/work.ts";
import { startThreadFeed } from "./streaming/thread-feed.ts";
import { resolveHeaders } from "./webhooks/headers.ts";
import { webhookRules } from "./webhooks/rules.ts";
import { attemptAtWork } from "./worker/attempts.ts";
import { startDeliveries } from "./worker/deliveries.ts";

/** A running service, or the part of one that this process plays. */
export interface Service {
  /** Where the API listens; undefined in a worker. */
  url: string | undefined;
  /** Where ENSEMBLE_METRICS_PORT answers, if it is set. */
  metricsUrl: string | undefined;
  graphIds: string[];
  embedded: boolean;
  /** Says which LangGraph runs, where the project has installed another version. */
  langgraph: string | undefined;
  /** Lets running work reach a safe place, then closes everything. */
  stop(): Promise<void>;
  /** Gives running work back at once; `stop` then has little to wait for. */
  hurry(): void;
}

/**
 * Starts what the configuration asks for. The only place where the parts meet; they are closed in reverse. `stopping` ends a start that
 * waits for the database.
 */
export async function startService(
  config: Config,
  log: Logger = createLogger(config.logLevel, false),
  stopping?: AbortSignal,
): Promise<Service> {
  const closers: Closers = [];
  try {
    return await compose(config, log, closers, stopping);
  } catch (error) {
    await closeAll(closers, log);
    throw error;
  }
}

async function compose(config: Config, log: Logger, closers: Closers, stopping: AbortSignal | undefined): Promise<Service> {
  const { role } = config;
  const given = givenDatabase(config);
  const project = await readProject(config.configFile);
  if (project.ignoredKeys.length > 0) log.warn(`${project.file}: not supported yet and ignored: ${project.ignoredKeys.join(", ")}`);
  if (project.buildKeys.length > 0) log.info(`${project.file}: for building images, not read here: ${project.buildKeys.join(", ")}`);
  const langgraph = compareLangGraph(foldersOf(project));
  closers.push(lendPatternLimits(config, project.patterns));
  const model = await provideModel(config, needsEndpoint(project), log, closers); // before the graphs are loaded: some make their client at once
  const ownFetch = lendFetch();
  closers.push(ownFetch.takeBack, lendLogger(log, attemptAtWork));
  const registry = await loadRegistry(project.graphs, (sentence) => log.warn(sentence));
  const forApi = role === "worker" ? undefined : await loadForApi(config, project, log);
  const ownApi = Promise.withResolvers<Fetch>();
  ownFetch.answerBy(ownApi.promise); // not before: a file that called us while it is loaded would wait for itself
  const storeOn = await provideStore(config, project, log);
  const rules = webhookRules(project.webhooks.url, config.webhookInsideHosts);
  const headers = role === "api" ? {} : resolveHeaders(project.webhooks, variable); // their secrets are the workers'

  const { pool, directUrl } = await openDatabase(config, given, { log, closers, stopping });
  await ensureSystemAssistants(pool, systemAssistants(registry, config));
  const { threadFeed, ...feeds } = await startFeeds({ pool, directUrl }, role !== "worker", log, closers);
  const { metrics, metricsUrl, tracing } = await startWatching(config, pool, log, closers);
  const store = await storeOn(pool);
  const deps = { pool, ...feeds, registry, store, log, metrics: metrics.work, tracing };
  const worker = role === "api" ? undefined : await startWork(config, project, directUrl, deps, closers);
  const api = forApi && (await startApi(config, project, { ...deps, ...forApi, threadFeed, metrics, model, webhookRules: rules }, closers));
  ownApi.resolve(withTraceparent(api?.fetch ?? fetchAt(config.serviceUrl), () => tracing?.traceparent()));

  // After the API, because a path is delivered to our own.
  const way = { rules, ownUrl: api?.url ?? config.serviceUrl, ownHeaders: keyHeaders(config.ownKey) };
  if (worker) closers.push(startDeliveries(deps, { ...way, headers, secrets: config.webhookSecrets }).stop);
  const undescribed = await graphsWithoutSchemas(registry, project);
  if (undescribed.length > 0)
    log.warn(
      `These graphs have no zod or StateSchema, and the project has no typescript 5 to read their types with, so their schemas are empty: ${undescribed.join(", ")}`,
    );
  return {
    url: api?.url,
    metricsUrl,
    graphIds: registry.graphIds,
    embedded: config.databaseUrl === undefined,
    langgraph,
    stop: () => closeAll(closers, log),
    hurry: () => worker?.abort(),
  };
}

/** What tells everybody that something has moved, and those who follow runs and threads what it was. */
async function startFeeds({ pool, directUrl }: Database, follows: boolean, log: Logger, closers: Closers) {
  const onError = (err: Error) => log.warn({ err }, "trouble with the database, trying again");
  const wakeups = await startWakeups({ pool, url: directUrl, follows, onError }).catch(explainDatabase(directUrl));
  closers.push(wakeups.stop);
  const feed = startFeed(pool, wakeups, onError);
  closers.push(feed.stop);
  const threadFeed = startThreadFeed({ pool, feed, wakeups, onError });
  closers.push(threadFeed.stop);
  return { wakeups, feed, threadFeed };
}
