import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parseEnv } from "node:util";
import type { z } from "zod";
import type { ResourceLimit } from "../resources/limit.ts";
import type { Prices } from "../usage/prices.ts";
import type { HttpOptions } from "./http-options.ts";
import {
  type AuthOptions,
  type CheckpointerOptions,
  type GraphEntry,
  type OwnOptions,
  type PatternOptions,
  ProjectFile,
  unreadProjectKeys,
  type WebhookOptions,
} from "./project-file.ts";
import { type QueueRules, queueRules } from "./queue-options.ts";
import type { StoreOptions } from "./store-options.ts";
import { buildKeyNames } from "./unread-keys.ts";

/** A file of the project, and the name of an export in it. */
export interface Source {
  file: string;
  exportName: string;
}

/** A graph that langgraph.json lists. */
export interface GraphSource extends Source {
  graphId: string;
  /** The name of the graph's default assistant. Undefined means the graph's id. */
  name?: string | undefined;
  description: string | undefined;
  /**
   * The version that the project file gives to the graph. Without it, the graph counts as a new version only when its structure changes.
   */
  version?: string | undefined;
}

/**
 * The export with the project's own auth. If `disableStudio` is true, requests of LangSmith Studio must pass this auth like all other
 * requests.
 */
export interface AuthSource extends Source {
  disableStudio: boolean;
}

/** The files of a project's tools, skills, guards and agents, its MCP servers, its remote agents, and its folder of assistants. */
export interface PartSources {
  tools: Source | undefined;
  skills: Source | undefined;
  guards: Source | undefined;
  agents: string | undefined;
  /** The folder with the project's assistants. Undefined if there is none. */
  assistants: string | undefined;
  mcp: NonNullable<z.infer<typeof OwnOptions>["mcp"]>;
  a2a: NonNullable<z.infer<typeof OwnOptions>["a2a"]>;
}

/** A project as its langgraph.json describes it, with absolute paths. */
export interface Project {
  file: string;
  graphs: GraphSource[];
  env: Record<string, string>;
  http: HttpOptions;
  /** The file and export that `http.app` names. Undefined if there is no app. */
  app: Source | undefined;
  /** The files with UI components, by graph id. Their paths are relative to the project's folder. */
  ui: Record<string, string>;
  /** Packages that the UI components share with the page. */
  uiShared: string[];
  checkpointer: z.infer<typeof CheckpointerOptions>;
  store: z.infer<typeof StoreOptions>;
  webhooks: z.infer<typeof WebhookOptions>;
  auth: AuthSource | undefined;
  /** The file and export of the project's own encryption. Undefined if it has none. */
  encryption: Source | undefined;
  /** The hosts and directories that the patterns (our ready-made graphs) may use, from `ensemble.patterns`. */
  patterns: { hosts: string[]; directories: string[] };
  /** The sources of the tools, skills, guards, agents and servers that the context of a ready-made graph can name. */
  parts: PartSources;
  /** The operator's rules for the queue (`ensemble.queues`). */
  queues: QueueRules;
  /** The resources that runs share, by name (`ensemble.resources`). */
  resources: Record<string, ResourceLimit>;
  /** The URL that is called when an alert opens or closes (`ensemble.alerts.webhook`). Undefined if there is none. */
  alertWebhook: string | undefined;
  /** The prices of models that the project sets (`ensemble.prices`). */
  prices: Prices;
  /** The keys that the official server reads but this service ignores. One warning at the start lists them. */
  ignoredKeys: string[];
  /** The keys for building images. They have no effect on a service that runs from the project's folder. */
  buildKeys: string[];
}

/** Reads a langgraph.json. If the file is missing or invalid, throws an error that names it. */
export async function readProject(path: string): Promise<Project> {
  const file = resolve(path);
  const given = await readProjectFile(file);
  const { graphs, http, auth } = given;
  const root = dirname(file);
  return {
    file,
    graphs: Object.entries(graphs).map(([graphId, entry]) => graphSource(root, file, graphId, entry)),
    env: await readEnv(root, file, given.env),
    http: http ?? {},
    app: http?.app ? sourceOf(root, file, "http.app", http.app) : undefined,
    ui: given.ui ?? {},
    uiShared: given.ui_config?.shared ?? [],
    checkpointer: given.checkpointer ?? {},
    store: given.store ?? {},
    webhooks: given.webhooks ?? {},
    auth: auth ? authSource(root, file, auth) : undefined,
    encryption: given.encryption ? sourceOf(root, file, "encryption.path", given.encryption.path) : undefined,
    patterns: patternLimits(root, given.ensemble?.patterns),
    parts: partSources(root, file, given.ensemble ?? {}),
    queues: queueRules(given.ensemble?.queues),
    resources: given.ensemble?.resources ?? {},
    alertWebhook: given.ensemble?.alerts?.webhook,
    prices: given.ensemble?.prices ?? {},
    ignoredKeys: unreadProjectKeys(given),
    buildKeys: buildKeyNames.filter((key) => key in given),
  };
}

async function readProjectFile(file: string): Promise<ProjectFile> {
  const text = await readFile(file, "utf8").catch(() => {
    throw new Error(
      `There is no ${file}. Ensemble runs the graphs that a langgraph.json lists: { "graphs": { "agent": "./agent.ts:graph" } }.`,
    );
  });
  const parsed = ProjectFile.safeParse(parseJson(text, file));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`${file}: ${issue?.path.join(".") || "the file"}: ${issue?.message}.`);
}

/** Returns the folders that contain the project's file or one of its graphs. */
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

function partSources(
  root: string,
  projectFile: string,
  { tools, skills, guards, agents, assistants, mcp = {}, a2a = {} }: z.infer<typeof OwnOptions>,
): PartSources {
  const servers = Object.entries(mcp).map(([name, server]) => [
    name,
    server.command ? { ...server, cwd: resolve(root, server.cwd ?? "") } : server,
  ]);
  return {
    tools: tools === undefined ? undefined : sourceOf(root, projectFile, "ensemble.tools", tools),
    skills: skills === undefined ? undefined : sourceOf(root, projectFile, "ensemble.skills", skills),
    guards: guards === undefined ? undefined : sourceOf(root, projectFile, "ensemble.guards", guards),
    agents: agents === undefined ? undefined : sourceOf(root, projectFile, "ensemble.agents", agents).file,
    assistants: assistants === undefined ? undefined : sourceOf(root, projectFile, "ensemble.assistants", assistants).file,
    mcp: Object.fromEntries(servers),
    a2a,
  };
}

/** Splits "<file>:<export>" into the file and the export. If no export is named, returns "default" as the export. */
function sourceOf(root: string, projectFile: string, key: string, path: string): Source {
  const [, name = "", exportName = ""] = /^(.*?)(?::([^:/\\]*))?$/.exec(path) ?? [];
  if (name === "") throw new Error(`${projectFile}: ${key} is "${path}"; it should be "<file>:<export>".`);
  const file = resolve(root, name);
  if (!existsSync(file)) throw new Error(`${projectFile}: ${key} names ${file}, which does not exist.`);
  return { file, exportName: exportName || "default" };
}

async function readEnv(root: string, projectFile: string, env: ProjectFile["env"]): Promise<Record<string, string>> {
  if (env === undefined) return {};
  // A line that has only a name is skipped. The value of such a variable comes from the environment of the process.
  if (Array.isArray(env)) return readLines(env.filter((line) => line.includes("=")).join("\n"));
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
