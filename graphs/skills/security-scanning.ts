import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";
import { profile } from "./definition.ts";
import { Kind, plantFiles, type SourceFile } from "./planted-files.ts";
import { scan } from "./security-rules.ts";
import { type Batch, defineSkill } from "./skill.ts";
import { listFiles, readListed } from "./source-directory.ts";

const longestFile = 1_000_000;
const mostFindings = 20;

const Params = z.strictObject({
  files: z
    .array(z.object({ path: z.string().min(1), content: z.string().max(longestFile) }))
    .default([])
    .describe("Files to scan instead of generated ones"),
  directory: z.string().min(1).optional().describe("Directory of the server to scan. The context must allow it."),
  rules: z
    .array(Kind)
    .min(1)
    .default([...Kind.options])
    .describe("Rule sets to scan with"),
  lines: z.number().int().min(8).max(5_000).default(16).describe("Lines of a generated file, multiplied by the complexity"),
  largeFiles: z.number().min(0).max(1).default(0).describe("Share of generated files that are ten times as long"),
});

const Result = z.object({
  path: z.string(),
  findings: z.array(z.object({ line: z.number().int(), rule: z.string() })).describe("First findings"),
  found: z.number().int(),
  // The three counts are null for files that were not generated, because the problems of these files are not known.
  right: z.number().int().nullable(),
  wrong: z.number().int().nullable(),
  missed: z.number().int().nullable(),
});

type Result = z.infer<typeof Result>;

type Params = z.infer<typeof Params>;

/** A file to scan. For a file in a directory, the content is undefined until the file is scanned. */
type Item = Omit<SourceFile, "content"> & { content?: string };

/**
 * Scans files for secrets and injections. The skill can also make files of its own with planted problems. Because these problems are
 * known, the quality of the scan can be measured.
 */
export const securityScanning = defineSkill<Item, Result, Params>({
  name: "security-scanning",
  version: "1.1.0",
  description: "Scans source files for secrets and injections",
  params: Params,
  result: Result,
  scenarios: () =>
    profile("sublinear", 20, [10, 50, 100], {
      timeBudgetSeconds: [45, 120, 600],
      skillParams: [{}, {}, { largeFiles: 0.1 }],
    }),

  async generate(dataset, { files, directory, rules, ...sizes }, { allowedDirectories: allowed }) {
    if (directory !== undefined) {
      const paths = await listFiles(directory, { allowed, most: dataset.size, longestFile });
      return paths.map((path) => ({ path, truth: null }));
    }
    return files.length > 0
      ? files.slice(0, dataset.size).map((file) => ({ ...file, truth: null }))
      : plantFiles(dataset, sizes).map((file) => ({ ...file, truth: file.truth?.filter(({ kind }) => rules.includes(kind)) ?? null }));
  },

  async invoke(batch, { directory = "", rules }, { allowedDirectories, signal, worked }) {
    const done: Batch<Result> = { results: [], failed: [] };
    await scan("empty.ts", "", rules); // loads the rules first, so that loading does not count as work on a file
    for (const [index, item] of batch.entries()) {
      signal.throwIfAborted();
      try {
        const content = item.content ?? (await readListed(directory, item.path, allowedDirectories));
        const startedAt = performance.now();
        done.results.push(await examine({ ...item, content }, rules));
        worked(performance.now() - startedAt); // recorded here, because other scenarios use the processor during the rest of this function
      } catch (error) {
        done.failed.push({ index, error: error as Error }); // the file may have been deleted, or replaced by a link
      }
      await nextTurn();
    }
    return done;
  },

  score(results, { failed }) {
    const { precision, recall, accuracy } = summarize(results);
    const known = results.some(({ right }) => right !== null);
    const coverage = results.length / Math.max(1, results.length + failed);
    return { coverage, ...(known && { precision, recall, accuracy }) };
  },

  measure(results) {
    const { findings, falsePositives, falseNegatives } = summarize(results);
    const known = results.some(({ right }) => right !== null);
    return { files: results.length, findings, ...(known && { falsePositives, falseNegatives }) };
  },

  // The scan of generated files must find problems. The caller's own files may have no problems, so this target is left out for them.
  targets: ({ files, directory }) => [
    ...(files.length > 0 || directory !== undefined ? [] : [{ metric: "findings", above: 0, weight: 0.3 }]),
    { metric: "coverage", atLeast: 1, weight: 0.7 },
  ],
});

async function examine({ path, content, truth }: SourceFile, rules: Kind[]): Promise<Result> {
  const hits = await scan(path, content, rules);
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
