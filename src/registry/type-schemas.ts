import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { TypeSchemas } from "./graph-schemas.ts";
import type { Source } from "./project.ts";
import type { ReadRequest } from "./type-reader.ts";

/** The schemas of a graph and its subgraphs, by path. The path of the graph itself is "". */
export type SchemasByPath = Record<string, TypeSchemas>;

export interface TypeSchemaReader {
  /** Returns the schemas from the types of an exported graph, by path. Returns an empty object if the types cannot be read. */
  read(source: Source): Promise<SchemasByPath>;
}

const timeoutMs = 60_000;
const maxOutputBytes = 64_000_000;
const run = promisify(execFile);

/**
 * Creates a reader of schemas from TypeScript types. One child process reads all graphs of a project, because the compiler spends most of
 * its time on the types of libraries. The schemas are cached until one of the files changes. `warn` is called whenever a child process
 * fails.
 */
export function createTypeSchemaReader(sources: Source[], warn: (sentence: string) => void): TypeSchemaReader {
  let cached: { hash: string; schemas: Promise<SchemasByPath[]> } | undefined;

  async function readAll(typescript: string): Promise<SchemasByPath[]> {
    const hash = await hashOf(sources);
    if (cached?.hash !== hash) {
      const schemas = readInChild({ typescript, sources: sources.map(({ file, exportName }) => ({ file, exportName })) });
      cached = { hash, schemas: schemas.catch((error) => warnOfFailure(error, warn)) };
    }
    return cached.schemas;
  }

  return {
    async read(source) {
      const typescript = typescriptOf(source.file);
      const index = sources.findIndex(({ file, exportName }) => file === source.file && exportName === source.exportName);
      return (typescript && (await readAll(typescript))[index]) || {};
    },
  };
}

function warnOfFailure(error: Error & { killed?: boolean }, warn: (sentence: string) => void): [] {
  const reason = error.killed ? `the compiler took more than ${timeoutMs / 1_000} s` : error.message.split("\n").slice(0, 2).join(" ");
  warn(`The types of the project's graphs could not be read, so the schemas of Annotation graphs are empty: ${reason}`);
  return [];
}

async function hashOf(sources: Source[]): Promise<string> {
  const hash = createHash("sha256");
  for (const { file } of sources) hash.update(file).update(await readFile(file));
  return hash.digest("hex");
}

/**
 * Returns the path of the project's own TypeScript compiler. Returns undefined if there is none, or if its version is 7, which has no
 * compiler API for JavaScript.
 */
export function typescriptOf(file: string): string | undefined {
  const require = createRequire(file);
  try {
    const { version } = require("typescript/package.json") as { version?: unknown };
    return Number.parseInt(String(version), 10) < 7 ? require.resolve("typescript") : undefined;
  } catch {
    return undefined;
  }
}

async function readInChild(request: ReadRequest): Promise<SchemasByPath[]> {
  const script = fileURLToPath(new URL(`./type-reader${extname(import.meta.url)}`, import.meta.url));
  const { stdout } = await run(process.execPath, [script, JSON.stringify(request)], {
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    maxBuffer: maxOutputBytes,
    env: {}, // the compiler needs no variables of the service, and must not see its secrets
  });
  return JSON.parse(stdout) as SchemasByPath[];
}
