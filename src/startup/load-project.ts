import type { Logger } from "pino";
import type { Auth } from "../auth/auth.ts";
import { chooseAuth } from "../auth/choose-auth.ts";
import { type Config, setModelEndpoint, variable } from "../config.ts";
import type { Db } from "../db/sql.ts";
import type { ApiDeps } from "../http/api-deps.ts";
import { allowedOrigins, isListed } from "../http/front/cors.ts";
import { loadEmbedder, needsEndpoint } from "../registry/embeddings.ts";
import { importUserModule } from "../registry/modules.ts";
import type { Project } from "../registry/project.ts";
import type { Registry } from "../registry/registry.ts";
import { typescriptOf } from "../registry/type-schemas.ts";
import { loadUserApp } from "../registry/user-app.ts";
import { startRehearsal } from "../rehearsal/server.ts";
import { preparePgvector } from "../store/pgvector.ts";
import { type StoreRules, storeRules } from "../store/store-rules.ts";
import { provideUi } from "../ui/bundles.ts";
import type { Closers } from "./closers.ts";

/**
 * Provides the model of the graphs and of the store's index. Without an endpoint it starts the rehearsal model. An API process does not
 * run graphs, so it does not know their model.
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

/** Prepares the store's rules. It loads the embedding before the database opens, so that a mistake there stops the start at once. */
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

/** Loads the parts of the project that an API needs and a worker does not. */
export async function loadForApi(config: Config, project: Project, log: Logger) {
  return {
    auth: await loadAuth(config, project),
    app: project.app && (await loadUserApp(project.app)),
    ui: await provideUi(project, log),
  };
}

async function loadAuth(config: Config, { auth, http }: Project): Promise<Auth | undefined> {
  if (!auth) return chooseAuth(config, undefined);
  const { [auth.exportName]: exported } = await importUserModule(auth.file);
  const origins = allowedOrigins(http.cors ?? {}, true);
  return chooseAuth(config, {
    name: `${auth.file}:${auth.exportName}`,
    exported,
    disableStudio: auth.disableStudio,
    allowsOrigin: (origin) => origins.all || isListed(origins, origin),
  });
}

/** Returns the graphs without schemas. A factory that needs a configuration to make its graph is left out. */
export async function graphsWithoutSchemas({ graphIds, declaredSchemas }: Registry, { file }: Project): Promise<string[]> {
  if (typescriptOf(file)) return []; // their types declare it
  const known = await Promise.all(graphIds.map((graphId) => declaredSchemas(graphId).catch(() => undefined)));
  return graphIds.filter((_, index) => known[index] && Object.keys(known[index].state_schema).length === 0);
}

/** Returns the assistants of the graphs, with the operator's defaults. */
export function systemAssistants(registry: Registry, { graphDefaults }: Config) {
  return registry.graphIds.map((graphId) => {
    const { context = {}, ...config } = graphDefaults[graphId] ?? {};
    return { graph_id: graphId, ...registry.describe(graphId), config, context };
  });
}
