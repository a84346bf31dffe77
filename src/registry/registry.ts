import type { BaseChannel, LangGraphRunnableConfig, Pregel, PregelNode } from "@langchain/langgraph";
import type { BaseCache, BaseCheckpointSaver, BaseStore } from "@langchain/langgraph-checkpoint";
import {
  type DescribedPart,
  describeSchema,
  describeSchemas,
  fillFromTypes,
  type GraphSchemas,
  isDescribed,
  type JsonSchema,
} from "./graph-schemas.ts";
import { describeImportFailure } from "./import-failure.ts";
import { importUserModule } from "./modules.ts";
import { checkingNeeds, type NeedsCheck } from "./needs-check.ts";
import type { GraphSource } from "./project.ts";
import { createTypeSchemaReader } from "./type-schemas.ts";
import { findIssues, type GraphCallArguments, type Issue } from "./validate.ts";

export type AnyGraph = Pregel<Record<string, PregelNode>, Record<string, BaseChannel>>;

/** The settings with which a graph is opened for one use, such as one run: its config, checkpointer, store and cache. */
export interface GraphUse {
  config?: LangGraphRunnableConfig;
  checkpointer?: BaseCheckpointSaver;
  store?: BaseStore;
  cache?: BaseCache;
}

/** The loaded graphs of a project. */
export interface Registry {
  readonly graphIds: string[];
  has(graphId: string): boolean;
  /** Returns the graph's name and description from langgraph.json. If the file gives no name, the name is the graph's id. */
  describe(graphId: string): { name: string; description: string | undefined };
  /** Returns the graph's version from langgraph.json, or undefined if the file has none. */
  version(graphId: string): string | undefined;
  /**
   * Returns the graph with the settings for one use. The result is a shallow copy, so that two simultaneous uses never share a checkpointer
   * or a store.
   */
  open(graphId: string, use?: GraphUse): Promise<AnyGraph>;
  /** Returns the graph's schemas: those that the graph declares, or else those from its TypeScript types. */
  schemas(graphId: string): Promise<GraphSchemas>;
  /** Returns the schemas of a graph that is nested in another graph. `path` is the path of the nested graph. */
  subgraphSchemas(graphId: string, path: string, subgraph: unknown): Promise<GraphSchemas>;
  /** Returns the schema that the graph itself declares for its input or state, without regard to its TypeScript types. */
  declaredSchema(graphId: string, part: DescribedPart): Promise<JsonSchema>;
  /**
   * Validates an input and a context with the graph's schemas, and returns the issues. `checkNeed` may object to the names of resources
   * that agents and steps of patterns need. Returns no issues if the file exports a function that makes the graph for each use. That
   * function is not called for a validation.
   */
  validate(graphId: string, given: GraphCallArguments, checkNeed?: NeedsCheck): Promise<Issue[]>;
}

type GraphFactory = (config: LangGraphRunnableConfig) => unknown;

interface LoadedGraph {
  resolve(config: LangGraphRunnableConfig): Promise<AnyGraph>;
  /** The graph that the file exports. Undefined if the file exports a function that makes the graph for each use. */
  graph?: AnyGraph;
}

/**
 * Loads all graphs of the project. If a graph cannot be loaded, throws an error that names it, so that the service does not start. Calls
 * `warn` if the TypeScript types of the graphs cannot be read.
 */
export async function loadRegistry(sources: GraphSource[], warn: (sentence: string) => void = () => {}): Promise<Registry> {
  const types = createTypeSchemaReader(sources, warn);
  const loaded = new Map<string, LoadedGraph & { source: GraphSource }>();
  for (const source of sources) loaded.set(source.graphId, { source, ...(await loadGraph(source)) });

  async function resolveGraph(graphId: string, config: LangGraphRunnableConfig): Promise<AnyGraph> {
    const entry = loaded.get(graphId);
    if (!entry) throw new Error(`This process has no graph "${graphId}". langgraph.json lists ${[...loaded.keys()].join(", ")}.`);
    return entry.resolve(config);
  }

  const declaredSchemas = async (graphId: string) => describeSchemas(graphId, await resolveGraph(graphId, { configurable: {} }));

  async function withTypes(declared: GraphSchemas, path: string): Promise<GraphSchemas> {
    const source = loaded.get(declared.graph_id)?.source;
    return isDescribed(declared) || !source ? declared : fillFromTypes(declared, (await types.read(source))[path]);
  }

  return {
    graphIds: [...loaded.keys()],
    has: (graphId) => loaded.has(graphId),
    describe: (graphId) => ({ name: loaded.get(graphId)?.source.name ?? graphId, description: loaded.get(graphId)?.source.description }),
    version: (graphId) => loaded.get(graphId)?.source.version,
    async open(graphId, { config = {}, ...injected } = {}) {
      const graph = await resolveGraph(graphId, config);
      return Object.assign(Object.create(Object.getPrototypeOf(graph)), graph, injected);
    },
    schemas: async (graphId) => withTypes(await declaredSchemas(graphId), ""),
    subgraphSchemas: (graphId, path, subgraph) => withTypes(describeSchemas(graphId, subgraph), path),
    declaredSchema: async (graphId, part) => describeSchema(await resolveGraph(graphId, { configurable: {} }), part),
    async validate(graphId, given, checkNeed = () => undefined) {
      const graph = loaded.get(graphId)?.graph;
      return graph ? checkingNeeds(checkNeed, () => findIssues(graph, given)) : [];
    },
  };
}

async function loadGraph(source: GraphSource): Promise<LoadedGraph> {
  const name = `Graph "${source.graphId}" (${source.file})`;
  const module = await importUserModule(source.file).catch(async (error: unknown) => {
    throw new Error(`${name} could not be imported: ${await describeImportFailure(error)}`, { cause: error });
  });
  const exports = exportsOf(module);
  const exported = await Promise.resolve(exports[source.exportName]).catch(async (error: unknown) => {
    throw new Error(`${name} could not be built: ${await describeImportFailure(error)}`, { cause: error });
  });
  if (exported === undefined) {
    throw new Error(`${name} has no export "${source.exportName}"; it exports ${Object.keys(exports).join(", ") || "nothing"}.`);
  }
  if (typeof exported === "function") {
    const factory = exported as GraphFactory;
    return { resolve: async (config) => asGraph(name, await factory(config)) };
  }
  const graph = asGraph(name, exported);
  return { graph, resolve: async () => graph };
}

/**
 * Returns the compiled graph in an export. The export may be the compiled graph, a builder that is not yet compiled, or the wrapper that
 * createAgent returns.
 */
function asGraph(name: string, value: unknown): AnyGraph {
  if (isPregel(value)) return value;
  if (isRecord(value) && isPregel(value.graph)) return value.graph;
  if (isRecord(value) && typeof value.compile === "function") return asGraph(name, value.compile());
  throw new Error(`${name} is not a graph: export a compiled StateGraph, its builder, an agent, or a function that returns one.`);
}

function isPregel(value: unknown): value is AnyGraph {
  return isRecord(value) && value.lg_is_pregel === true;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/**
 * Returns the exports of a module under the names that its author has written. If a project has no "type": "module", its TypeScript becomes
 * CommonJS, and Node puts all exports into an object under `default`.
 */
export function exportsOf(module: Record<string, unknown>): Record<string, unknown> {
  const { "module.exports": marked, __esModule, default: whole, ...named } = module;
  const exports = marked ?? whole; // Node 22 does not set the key "module.exports"
  // A plain object contains named exports. A graph or a function is itself the export.
  const hasNames = isRecord(exports) && Object.getPrototypeOf(exports) === Object.prototype;
  if (hasNames) return { ...exports, ...named };
  return exports === undefined ? named : { default: exports, ...named };
}
