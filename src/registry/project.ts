import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parseEnv } from "node:util";
import { z } from "zod";
import { HttpOptions, unreadHttpKeys } from "./http-options.ts";
import { StoreOptions } from "./store-options.ts";
import { buildKeyNames, toolKeys, unreadKeys } from "./unread-keys.ts";

const GraphObject = z
  .object({
    path: z.string().describe("File and export of the graph: `./agent.ts:graph`. Without an export, the file's default export."),
    name: z.string().trim().min(1).optional().describe("Name of the graph's own assistant. Without it, the graph's id."),
    description: z.string().nullish().describe("Description that assistants show."),
    version: z.string().optional().describe("Version that each run records, in addition to the graph's structure."),
  })
  .loose();
const GraphEntry = z.union([z.string(), GraphObject]);

const CheckpointerOptions = z
  .object({
    ttl: z
      .object({
        strategy: z
          .enum(["delete", "keep_latest"])
          .optional()
          .describe("Action on a thread whose time is over: delete it, or keep only its latest checkpoints. Default: `delete`."),
        default_ttl: z
          .number()
          .positive()
          .max(52_560_000)
          .nullish()
          .describe("Minutes after which an unused thread expires. `ENSEMBLE_THREAD_TTL_MINUTES` overrides it."),
        sweep_interval_minutes: z.number().positive().max(40_000).nullish().describe("Minutes between two sweeps."),
      })
      .loose()
      .nullish()
      .describe("Expiry of unused threads."),
  })
  .loose();

const UrlOptions = z
  .object({
    require_https: z
      .boolean()
      .optional()
      .describe("`true`: https only. `false`: http as well. Without it, http only to `ENSEMBLE_WEBHOOK_INSIDE_HOSTS`."),
    allowed_domains: z.array(z.string().min(1)).optional().describe("Domains that webhooks may call, such as `*.example.com`."),
    allowed_ports: z.array(z.number().int().min(1).max(65_535)).optional().describe("Ports that webhooks may call."),
    max_url_length: z.number().int().positive().optional().describe("Longest URL of a webhook, in characters. Default: 4096."),
    disable_loopback: z.boolean().optional().describe("Refuses webhooks that are a path of this service."),
  })
  .loose();

const WebhookOptions = z
  .object({
    env_prefix: z.string().min(1).optional().describe("Prefix of the variables that `headers` may contain. Default: `LG_WEBHOOK_`."),
    url: UrlOptions.optional().describe("Rules for the URLs of webhooks."),
    headers: z
      .record(z.string(), z.string())
      .optional()
      .describe("Headers of every webhook. A value may name variables of the environment."),
  })
  .loose();

/** The operator's limits for patterns. */
const PatternOptions = z
  .object({
    allowed_hosts: z
      .array(z.string().regex(/^[^\s,/]+$/, "must be a host, with its port, without http:// and paths"))
      .optional()
      .describe("Hosts (name:port) of your own network that the patterns' tools may call. `ENSEMBLE_PATTERN_HOSTS` overrides it."),
    allowed_directories: z
      .array(z.string().regex(/^[^,]+$/, "must be a path without a comma"))
      .optional()
      .describe(
        "Directories that the patterns may read. Relative paths start at the project file's folder. `ENSEMBLE_PATTERN_DIRECTORIES` overrides it.",
      ),
  })
  .loose();
const Own = z.object({ patterns: PatternOptions.optional().describe("Limits of the shipped patterns.") }).loose();

const AuthOptions = z
  .object({
    path: z.string().min(1).describe("File and export of your `Auth`: `./auth.ts:auth`."),
    disable_studio_auth: z.boolean().optional().describe("Whether Studio on loopback must pass your auth too. Default: `false`."),
  })
  .loose();
const UiConfig = z.object({ shared: z.array(z.string()).nullish().describe("Packages that the components share with the page.") }).loose();

/** The schema of the project file. docs/reference/langgraph-json.md is generated from the descriptions. */
export const ProjectFile = z
  .object({
    graphs: z
      .record(z.string().min(1), GraphEntry, "lists no graph")
      .refine((graphs) => Object.keys(graphs).length > 0, "lists no graph")
      .describe("Graphs by id. Each is a path, or an object with the keys below."),
    env: z
      .union([z.string(), z.array(z.string()), z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))])
      .optional()
      .describe(
        "Environment of the project: the path of an env file, a list of `NAME=value`, or an object. The process's own variables win.",
      ),
    http: HttpOptions.nullish().describe("Options of the HTTP API."),
    ui: z.record(z.string().min(1), z.string().min(1)).nullish().describe("Files with UI components, by graph id."),
    ui_config: UiConfig.nullish().describe("Options of the UI bundles."),
    checkpointer: CheckpointerOptions.nullish().describe("Options of stored threads."),
    store: StoreOptions.nullish().describe("Options of the store."),
    webhooks: WebhookOptions.nullish().describe("Options of webhooks."),
    auth: AuthOptions.nullish().describe("Your own auth."),
    ensemble: Own.nullish().describe("Options that only Ensemble has."),
  })
  .loose();

/** A file of the project and the name of its export. */
export interface Source {
  file: string;
  exportName: string;
}

/** A graph as langgraph.json names it. */
export interface GraphSource extends Source {
  graphId: string;
  /** The name in a list of assistants. Without it, the graph id. */
  name?: string | undefined;
  description: string | undefined;
  /** The project's version of the graph. Without it, only the graph's structure tells versions apart. */
  version?: string | undefined;
}

/** The project's own auth, and whether Studio must pass it too. */
export interface AuthSource extends Source {
  disableStudio: boolean;
}

/** A project: the content of its langgraph.json, with absolute paths. */
export interface Project {
  file: string;
  graphs: GraphSource[];
  env: Record<string, string>;
  http: HttpOptions;
  /** The source of `http.app`. */
  app: Source | undefined;
  /** Files with UI components, by graph id, as paths from the project's folder. */
  ui: Record<string, string>;
  /** Packages that the UI components share with the page. */
  uiShared: string[];
  checkpointer: z.infer<typeof CheckpointerOptions>;
  store: z.infer<typeof StoreOptions>;
  webhooks: z.infer<typeof WebhookOptions>;
  auth: AuthSource | undefined;
  /** The operator's limits for patterns (`ensemble.patterns`). */
  patterns: { hosts: string[]; directories: string[] };
  /** Keys that have a meaning elsewhere and none here. They are named in one warning at the start. */
  ignoredKeys: string[];
  /** Keys about building images. A server that runs from the project's folder does not use them. */
  buildKeys: string[];
}

/** Reads a langgraph.json. Throws one sentence that names the file when something is wrong with it. */
export async function readProject(path: string): Promise<Project> {
  const file = resolve(path);
  const text = await readFile(file, "utf8").catch(() => {
    throw new Error(
      `There is no ${file}. Ensemble runs the graphs that a langgraph.json lists: { "graphs": { "agent": "./agent.ts:graph" } }.`,
    );
  });
  const parsed = ProjectFile.safeParse(parseJson(text, file));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(`${file}: ${issue?.path.join(".") || "the file"}: ${issue?.message}.`);
  }
  const { graphs, env, ...others } = parsed.data;
  const http = others.http ?? {};
  const checkpointer = others.checkpointer ?? {};
  const store = others.store ?? {};
  const webhooks = others.webhooks ?? {};
  const root = dirname(file);
  return {
    file,
    graphs: Object.entries(graphs).map(([graphId, entry]) => graphSource(root, file, graphId, entry)),
    env: await readEnv(root, file, env),
    http,
    app: http.app ? sourceOf(root, file, "http.app", http.app) : undefined,
    ui: others.ui ?? {},
    uiShared: others.ui_config?.shared ?? [],
    checkpointer,
    store,
    webhooks,
    auth: others.auth ? authSource(root, file, others.auth) : undefined,
    patterns: patternLimits(root, others.ensemble?.patterns),
    ignoredKeys: [
      ...unreadKeys(others, [...buildKeyNames, ...toolKeys, ...Object.keys(ProjectFile.shape)]),
      ...Object.entries(graphs).flatMap(([graphId, entry]) =>
        typeof entry === "string" ? [] : unreadKeys(entry, Object.keys(GraphObject.shape), `graphs.${graphId}.`),
      ),
      ...unreadHttpKeys(http),
      ...unreadKeys(others.ui_config ?? {}, Object.keys(UiConfig.shape), "ui_config."),
      ...unreadKeys(checkpointer, Object.keys(CheckpointerOptions.shape), "checkpointer."),
      ...unreadKeys(checkpointer.ttl ?? {}, ["strategy", "default_ttl", "sweep_interval_minutes"], "checkpointer.ttl."),
      ...unreadKeys(others.auth ?? {}, Object.keys(AuthOptions.shape), "auth."),
      ...unreadOwnKeys(others.ensemble ?? {}),
      ...unreadKeys(store, Object.keys(StoreOptions.shape), "store."),
      ...unreadKeys(store.ttl ?? {}, ["default_ttl", "refresh_on_read", "sweep_interval_minutes"], "store.ttl."),
      ...unreadKeys(store.index ?? {}, ["dims", "embed", "fields"], "store.index."),
      ...unreadKeys(webhooks, Object.keys(WebhookOptions.shape), "webhooks."),
      ...unreadKeys(webhooks.url ?? {}, Object.keys(UrlOptions.shape), "webhooks.url."),
    ],
    buildKeys: buildKeyNames.filter((key) => key in others),
  };
}

/** Returns every folder that the project's file or one of its graphs is in. */
export const foldersOf = ({ file, graphs }: Project): string[] => [...new Set([file, ...graphs.map((graph) => graph.file)].map(dirname))];

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${file} is not JSON: ${(error as Error).message}`);
  }
}

function graphSource(root: string, projectFile: string, graphId: string, entry: z.infer<typeof GraphEntry>): GraphSource {
  const { path, name, description, version } = typeof entry === "string" ? { path: entry } : entry;
  return { graphId, ...sourceOf(root, projectFile, `graphs.${graphId}`, path), name, description: description ?? undefined, version };
}

function authSource(root: string, projectFile: string, { path, disable_studio_auth }: z.infer<typeof AuthOptions>): AuthSource {
  return { ...sourceOf(root, projectFile, "auth.path", path), disableStudio: disable_studio_auth ?? false };
}

function patternLimits(root: string, { allowed_hosts = [], allowed_directories = [] }: z.infer<typeof PatternOptions> = {}) {
  return { hosts: allowed_hosts, directories: allowed_directories.map((path) => resolve(root, path)) };
}

const unreadOwnKeys = (own: z.infer<typeof Own>): string[] => [
  ...unreadKeys(own, Object.keys(Own.shape), "ensemble."),
  ...unreadKeys(own.patterns ?? {}, Object.keys(PatternOptions.shape), "ensemble.patterns."),
];

/** Splits "<file>:<export>". Without an export, it returns the file's default export. */
function sourceOf(root: string, projectFile: string, key: string, path: string): Source {
  const [, name = "", exportName = ""] = /^(.*?)(?::([^:/\\]*))?$/.exec(path) ?? [];
  if (name === "") throw new Error(`${projectFile}: ${key} is "${path}"; it should be "<file>:<export>".`);
  const file = resolve(root, name);
  if (!existsSync(file)) throw new Error(`${projectFile}: ${key} names ${file}, which does not exist.`);
  return { file, exportName: exportName || "default" };
}

async function readEnv(root: string, projectFile: string, env: z.infer<typeof ProjectFile>["env"]): Promise<Record<string, string>> {
  if (env === undefined) return {};
  if (Array.isArray(env)) return readLines(env.filter((line) => line.includes("=")).join("\n")); // only the process can set a bare name
  if (typeof env !== "string") return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]));
  const file = resolve(root, env);
  const text = await readFile(file, "utf8").catch(() => {
    throw new Error(`${projectFile}: env names ${file}, which cannot be read.`);
  });
  return readLines(text);
}

function readLines(text: string): Record<string, string> {
  return Object.fromEntries(Object.entries(parseEnv(text)).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
