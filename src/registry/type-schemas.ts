import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Source } from "./project.ts";
import type { Asked, TypeSchemas } from "./type-reader.ts";

/** The types of a graph under "", and of each subgraph under its path. */
export type SchemasByPath = Record<string, TypeSchemas>;

export interface TypeSchemaReader {
  /** Returns the schemas that the types of an exported graph say; none where they cannot be read. */
  read(source: Source): Promise<SchemasByPath>;
}

const withinMs = 60_000;
const mostOutput = 64_000_000;
const run = promisify(execFile);

/**
 * Reads schemas off TypeScript types. The graphs of a project share one child process, because the types of the libraries take the
 * compiler most of its time. The result is kept until one of the files changes. `warn` is called for each child that fails.
 */
export function createTypeSchemaReader(sources: Source[], warn: (sentence: string) => void): TypeSchemaReader {
  let known: { hash: string; schemas: Promise<SchemasByPath[]> } | undefined;

  async function readAll(typescript: string): Promise<SchemasByPath[]> {
    const hash = await hashOf(sources);
    if (known?.hash !== hash) {
      const schemas = readInChild({ typescript, sources: sources.map(({ file, exportName }) => ({ file, exportName })) });
      known = { hash, schemas: schemas.catch((error) => sayWhy(error, warn)) };
    }
    return known.schemas;
  }

  return {
    async read(source) {
      const typescript = typescriptOf(source.file);
      const index = sources.findIndex(({ file, exportName }) => file === source.file && exportName === source.exportName);
      return (typescript && (await readAll(typescript))[index]) || {};
    },
  };
}

function sayWhy(error: Error & { killed?: boolean }, warn: (sentence: string) => void): [] {
  const reason = error.killed ? `the compiler took more than ${withinMs / 1_000} s` : error.message.split("\n").slice(0, 2).join(" ");
  warn(`The types of the project's graphs could not be read, so the schemas of Annotation graphs are empty: ${reason}`);
  return [];
}

async function hashOf(sources: Source[]): Promise<string> {
  const hash = createHash("sha256");
  for (const { file } of sources) hash.update(file).update(await readFile(file));
  return hash.digest("hex");
}

/** Returns the project's own TypeScript. Version 7 has no compiler API for JavaScript. */
export function typescriptOf(file: string): string | undefined {
  const require = createRequire(file);
  try {
    const { version } = require("typescript/package.json") as { version?: unknown };
    return Number.parseInt(String(version), 10) < 7 ? require.resolve("typescript") : undefined;
  } catch {
    return undefined;
  }
}

async function readInChild(asked: Asked): Promise<SchemasByPath[]> {
  const script = fileURLToPath(new URL(`./type-reader${extname(import.meta.url)}`, import.meta.url));
  const { stdout } = await run(process.execPath, [script, JSON.stringify(asked)], {
    timeout: withinMs,
    killSignal: "SIGKILL",
    maxBuffer: mostOutput,
    env: {}, // the compiler needs nothing of the service, its secrets least of all
  });
  return JSON.parse(stdout) as SchemasByPath[];
}
