import type { Pool } from "pg";
import type { Logger } from "pino";
import { ensureSystemAssistants } from "../assistants/assistants.ts";
import type { Auth } from "../auth/auth.ts";
import { chooseAuth } from "../auth/choose-auth.ts";
import { type Config, setModelEndpoint, variable } from "../config.ts";
import type { Db } from "../db/sql.ts";
import type { ApiDeps } from "../http/api-deps.ts";
import { allowedOrigins, isListed } from "../http/front/cors.ts";
import { readAssistants } from "../registry/assistant-files.ts";
import { loadEmbedder, needsEndpoint } from "../registry/embeddings.ts";
import { importUserModule } from "../registry/modules.ts";
import type { Project } from "../registry/project.ts";
import type { Registry } from "../registry/registry.ts";
import { typescriptOf } from "../registry/type-schemas.ts";
import { loadUserApp } from "../registry/user-app.ts";
import { startRehearsal } from "../rehearsal/server.ts";
import { ensureResources } from "../resources/resources.ts";
import { defineLimits } from "../runs/limits.ts";
import { setWeights } from "../runs/queue.ts";
import { preparePgvector } from "../store/pgvector.ts";
import { type StoreRules, storeRules } from "../store/store-rules.ts";
import { provideUi } from "../ui/bundles.ts";
import type { Closers } from "./closers.ts";

/**
 * Provides the model that the graphs and the index of the store use. If no model endpoint is configured, starts the built-in rehearsal
 * model. Returns which of the two the graphs of this process use. Returns null in a process with the role "api", because it executes no
 * graphs, and the workers may use another model.
 */
export async function provideModel(
  { hasModelEndpoint, role }: Config,
  embeds: boolean,
  log: Logger,
  closers: Closers,
): Promise<ApiDeps["model"]> {
  if (!hasModelEndpoint && (role !== "api" || embeds)) {
    const rehearsal = await startRehearsal(() =>
      log.info("neither OPENAI_API_KEY nor OPENAI_BASE_URL is set, so the rehearsal model answers"),
    );
    closers.push(rehearsal.stop);
    const restore = setModelEndpoint(rehearsal.baseUrl);
    closers.push(async () => restore());
  }
  if (role === "api") return null;
  return hasModelEndpoint ? "external" : "rehearsal";
}

/**
 * Loads the function with which the store embeds texts, so that an invalid function already stops the start. Returns a function that
 * creates the store's rules, which the caller must call after the database is open.
 */
export async function provideStore(
  { hasModelEndpoint, role }: Config,
  project: Project,
  log: Logger,
): Promise<(db: Db) => Promise<StoreRules>> {
  const endpoint = { baseURL: variable("OPENAI_BASE_URL") || undefined, apiKey: variable("OPENAI_API_KEY") || undefined };
  const embedder = await loadEmbedder(project, { ...endpoint, isRehearsal: !hasModelEndpoint });
  if (role === "api" && needsEndpoint(project) && !hasModelEndpoint)
    log.warn("the store's index uses the rehearsal model here. If the workers have another endpoint, set OPENAI_API_KEY here too");
  const rulesWith = (hasPgvector: boolean) => storeRules(project.store, embedder && { ...embedder, hasPgvector });
  try {
    rulesWith(false);
  } catch (error) {
    throw new Error(`${project.file}: store.index.fields: ${(error as Error).message}`);
  }
  const { dims } = project.store.index ?? {};
  return async (db) => rulesWith(dims !== undefined && (await preparePgvector(db, dims)));
}

/** Loads the parts of the project that only an API process needs. */
export async function loadForApi(config: Config, project: Project, log: Logger, isMounted: boolean) {
  return {
    auth: await loadAuth(config, project, isMounted),
    app: project.app && (await loadUserApp(project.app)),
    ui: await provideUi(project, log),
  };
}

async function loadAuth(config: Config, { auth, http }: Project, isMounted: boolean): Promise<Auth | undefined> {
  if (!auth) return chooseAuth(config, undefined);
  const { [auth.exportName]: exported } = await importUserModule(auth.file);
  const origins = allowedOrigins(http.cors ?? {}, true);
  return chooseAuth(config, {
    name: `${auth.file}:${auth.exportName}`,
    exported,
    disableStudio: auth.disableStudio || isMounted, // requests may come from other machines if the app that mounts the service accepts them
    allowsOrigin: (origin) => origins.all || isListed(origins, origin),
  });
}

/**
 * Returns the ids of the graphs for which the service has no state schema, so that it can warn about them. Leaves out graphs that cannot be
 * created without a configuration, because it is unknown whether they have a schema.
 */
export async function graphsWithoutSchemas({ graphIds, declaredSchema }: Registry, { file }: Project): Promise<string[]> {
  if (typescriptOf(file)) return []; // their schemas can be read from their TypeScript types
  const known = await Promise.all(graphIds.map((graphId) => declaredSchema(graphId, "state").catch(() => undefined)));
  return graphIds.filter((_, index) => known[index] && Object.keys(known[index]).length === 0);
}

/** Stores the project's assistants, resources, queue weights and limits in the database, from which all processes read them. */
export async function storeProject(pool: Pool, project: Project, registry: Registry, config: Config): Promise<void> {
  const { parts, queues, graphs, resources } = project;
  const presets = await readAssistants(parts.assistants, registry);
  await ensureSystemAssistants(pool, [...systemAssistants(registry, config), ...presets]);
  await ensureResources(pool, resources);
  await setWeights(pool, queues.weights);
  await defineLimits(
    pool,
    graphs.map(({ graphId }) => graphId),
    queues.limits,
  );
}

/** Returns the default assistants of the graphs, with the config and context that the operator has set for each graph. */
function systemAssistants(registry: Registry, { graphDefaults }: Config) {
  return registry.graphIds.map((graphId) => {
    const { context = {}, ...config } = graphDefaults[graphId] ?? {};
    return { graph_id: graphId, ...registry.describe(graphId), config, context };
  });
}
