import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Many processes load LangGraph: it should at least be compiled once only. */
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), "node-compile-cache");

const shared = {
  globalSetup: "./test/cluster.ts",
  setupFiles: "./test/setup.ts",
  testTimeout: 300_000, // a test that waits in vain is rarer than a machine that has no time for it
  hookTimeout: 300_000,
  expect: { poll: { timeout: 60_000 } },
  pool: "forks" as const,
  isolate: false,
  globals: true,
};

/** Graphs import the package by its own name, here as in a project that has it installed. */
const source = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const resolve = {
  alias: [
    { find: /^ensemble$/, replacement: source("./src/index.ts") },
    { find: /^ensemble\/testing$/, replacement: source("./graphs/testing/index.ts") },
    { find: /^ensemble\/patterns$/, replacement: source("./graphs/index.ts") },
  ],
};

/** What is told from one process to another is tried with real ones; a start costs each of them a second of a core. */
const acrossProcesses = ["test/api/streams.test.ts", "test/api/cancel.test.ts", "test/api/multitask.test.ts"];
const inTopology = (topology: string) => ({ ...shared, name: topology, env: { ENSEMBLE_TEST_TOPOLOGY: topology } });

/**
 * Starts the tests of the docs first, because they take the longest. Vitest would start the largest files first, but these files are small.
 */
class DocsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isDocs = ({ moduleId }: TestSpecification) => moduleId.includes("/test/docs/");
    return [...sorted.filter(isDocs), ...sorted.filter((file) => !isDocs(file))];
  }
}

/** The tests of the API run twice: against one service that does everything, and against two APIs and two workers. */
export default defineConfig({
  test: {
    maxWorkers: 4,
    sequence: { sequencer: DocsFirst },
    projects: [
      {
        resolve,
        test: {
          ...shared,
          name: "one service",
          include: ["test/**/*.test.ts"],
          exclude: ["test/faults/**", "test/console/*.browser.test.ts"],
        },
      },
      { resolve, test: { ...inTopology("split"), include: ["test/api/**/*.test.ts"], exclude: acrossProcesses } },
      { resolve, test: { ...inTopology("processes"), include: acrossProcesses } },
      { resolve, test: { ...shared, name: "faults", include: ["test/faults/**/*.test.ts"] } }, // minutes of killing and waiting, by itself
      { resolve, test: { ...shared, name: "console", include: ["test/console/*.browser.test.ts"] } }, // needs a Chromium
    ],
  },
});
