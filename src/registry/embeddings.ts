import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { importUserModule } from "./modules.ts";
import type { Project } from "./project.ts";
import { exportsOf } from "./registry.ts";

type Embed = (texts: string[], signal: AbortSignal) => Promise<unknown>;

/** The URL and key of a model endpoint with OpenAI's protocol. */
export interface ModelEndpoint {
  baseURL: string | undefined;
  apiKey: string | undefined;
  isRehearsal: boolean;
}

/**
 * A function that turns texts into vectors, and the function's name. The name is stored with the vectors, because vectors of different
 * embedders cannot be compared.
 */
export interface Embedder {
  name: string;
  embed: Embed;
}

const openai = "openai:";
const timeoutMs = 20_000;

/** Tells whether the store's index uses a model endpoint, and not a module of the project. Returns false if there is no index. */
export function needsEndpoint({ store }: Pick<Project, "store">): boolean {
  return store.index?.embed.startsWith(openai) ?? false;
}

/**
 * Returns the embedder that `store.index.embed` names: a model behind an endpoint, or an export of a module. Returns undefined if the
 * project has no index.
 */
export async function loadEmbedder(
  { file, store }: Pick<Project, "file" | "store">,
  endpoint: ModelEndpoint,
): Promise<Embedder | undefined> {
  if (!store.index) return undefined;
  const { embed: name, dims } = store.index;
  if (name.startsWith(openai)) {
    const embed = await embedAtEndpoint(name.slice(openai.length), dims, endpoint);
    return { name: endpoint.isRehearsal ? "rehearsal" : name, embed };
  }
  const colon = name.lastIndexOf(":");
  const module = resolve(dirname(file), name.slice(0, Math.max(colon, 0)));
  if (colon < 1 || !existsSync(module)) {
    throw new Error(`${file}: store.index.embed is "${name}"; it should be "openai:<model>" or "<file>:<export>" of a file that exists.`);
  }
  return { name, embed: await loadModule(`${file}: store.index.embed "${name}"`, module, name.slice(colon + 1) || "default") };
}

/**
 * Returns a function that embeds texts through the endpoint. The request contains `dimensions` only for `text-embedding-3` models. Older
 * models have a fixed number of dimensions, and some of them refuse the parameter.
 */
async function embedAtEndpoint(model: string, dims: number, { baseURL, apiKey = "none" }: ModelEndpoint): Promise<Embed> {
  const { OpenAIEmbeddings } = await import("@langchain/openai"); // loaded only here, because it is large and most projects have no index
  const dimensions = model.startsWith("text-embedding-3") ? { dimensions: dims } : {};
  const embeddings = new OpenAIEmbeddings({
    model,
    ...dimensions,
    apiKey,
    configuration: { baseURL },
    timeout: timeoutMs,
    maxRetries: 2,
    stripNewLines: false,
  });
  return (texts) => embeddings.embedDocuments(texts);
}

const Embeddings = z.custom<{ embedDocuments(texts: string[]): Promise<unknown> }>(
  (value) => typeof value === "object" && value !== null && "embedDocuments" in value && typeof value.embedDocuments === "function",
);
const EmbedFunction = z.custom<Embed>((value) => typeof value === "function");

async function loadModule(name: string, module: string, exportName: string): Promise<Embed> {
  const imported = await importUserModule(module).catch((error: Error) => {
    throw new Error(`${name} could not be imported: ${error.message}`, { cause: error });
  });
  const exports = exportsOf(imported);
  const exported = await exports[exportName];
  const object = Embeddings.safeParse(exported);
  if (object.success) return (texts) => object.data.embedDocuments(texts);
  const fn = EmbedFunction.safeParse(exported);
  if (fn.success) return async (texts, signal) => fn.data(texts, signal);
  throw new Error(
    `${name} is neither a function from texts to vectors nor an Embeddings object. The module exports ${Object.keys(exports).join(", ")}.`,
  );
}
