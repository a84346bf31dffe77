import { lstat, readdir, readFile, realpath } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";
import { profile } from "./definition.ts";
import { plantFiles, type SourceFile } from "./planted-files.ts";
import { scan } from "./security-rules.ts";
import type { Skill } from "./skill.ts";

const longestFile = 1_000_000;
const mostFindings = 20;

const Params = z.object({
  files: z
    .array(z.object({ path: z.string().min(1), content: z.string().max(longestFile) }))
    .default([])
    .describe("Files to scan in place of generated ones"),
  directory: z.string().min(1).optional().describe("A directory on the server to scan; the context must allow it"),
});

const Result = z.object({
  path: z.string(),
  findings: z.array(z.object({ line: z.number().int(), rule: z.string() })).describe("The first of them"),
  found: z.number().int(),
  // Known of generated files only.
  right: z.number().int().nullable(),
  wrong: z.number().int().nullable(),
  missed: z.number().int().nullable(),
});

type Result = z.infer<typeof Result>;

/** A real scan for secrets and injections. Of generated files it is known what is in them, so the scan itself is measured. */
export const securityScanning: Skill<SourceFile, Result, z.infer<typeof Params>> = {
  name: "security-scanning",
  version: "1.0.0",
  description: "Scans source files for secrets and injections",
  params: Params,
  result: Result,
  scenarios: () => profile("sublinear", 20, [5, 20, 50]),

  generate(dataset, { files, directory }, { allowedDirectories }) {
    if (directory !== undefined) return readDirectory(directory, allowedDirectories, dataset.size);
    return files.length > 0 ? files.slice(0, dataset.size).map((file) => ({ ...file, truth: null })) : plantFiles(dataset);
  },

  async invoke(batch, _params, { signal, worked }) {
    const results: Result[] = [];
    for (const file of batch) {
      signal.throwIfAborted();
      const startedAt = performance.now();
      results.push(await examine(file));
      worked(performance.now() - startedAt); // from here on others use the processor
      await nextTurn();
    }
    return results;
  },

  score(results) {
    const { precision, recall, accuracy } = summarize(results);
    const known = results.some(({ right }) => right !== null);
    return { coverage: 1, ...(known && { precision, recall, accuracy }) };
  },

  measure(results) {
    const { findings, falsePositives, falseNegatives } = summarize(results);
    const known = results.some(({ right }) => right !== null);
    return { files: results.length, findings, ...(known && { falsePositives, falseNegatives }) };
  },
};

async function examine({ path, content, truth }: SourceFile): Promise<Result> {
  const hits = await scan(path, content);
  const findings = hits.slice(0, mostFindings).map(({ line, rule }) => ({ line, rule }));
  const base = { path, findings, found: hits.length };
  if (!truth) return { ...base, right: null, wrong: null, missed: null };
  const places = new Set(hits.map(({ line, kind }) => `${line} ${kind}`));
  const right = truth.filter(({ line, kind }) => places.has(`${line} ${kind}`)).length;
  return { ...base, right, wrong: places.size - right, missed: truth.length - right };
}

function summarize(results: Result[]) {
  const sum = (figure: (result: Result) => number | null) => results.reduce((total, result) => total + (figure(result) ?? 0), 0);
  const [right, wrong, missed] = [sum((result) => result.right), sum((result) => result.wrong), sum((result) => result.missed)];
  const flawless = results.filter((result) => result.wrong === 0 && result.missed === 0).length;
  return {
    findings: sum(({ found }) => found),
    falsePositives: wrong,
    falseNegatives: missed,
    precision: right + wrong === 0 ? 1 : right / (right + wrong),
    recall: right + missed === 0 ? 1 : right / (right + missed),
    accuracy: flawless / Math.max(1, results.length),
  };
}

/** Text files below a directory, in the order of their names. Links are not followed: they may lead out of what is allowed. */
async function readDirectory(directory: string, allowed: string[], most: number): Promise<SourceFile[]> {
  const root = await realpath(directory);
  const roots = await Promise.all(allowed.map((one) => realpath(one).catch(() => undefined)));
  if (!roots.some((one) => one !== undefined && (root === one || root.startsWith(one + sep)))) {
    throw new Error(`${directory} is not among the context's allowedDirectories.`);
  }
  const files: SourceFile[] = [];
  for await (const path of walk(root)) {
    if (files.length >= most) break;
    const { size } = await lstat(path);
    if (size > longestFile) continue;
    const content = await readFile(path, "utf8");
    if (!content.includes("\0")) files.push({ path: relative(root, path), content, truth: null });
  }
  return files;
}

async function* walk(directory: string): AsyncGenerator<string> {
  const entries = (await readdir(directory, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name === "node_modules" || entry.name === ".git") continue;
    if (entry.isDirectory()) yield* walk(join(directory, entry.name));
    else if (entry.isFile()) yield join(directory, entry.name);
  }
}
