import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Many processes load LangGraph: it should at least be compiled once only. */
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), "node-compile-cache");

const shared = {
  globalSetup: "./test/cluster.ts",
  setupFiles: "./test/setup.ts",
  testTimeout: 30_000,
  hookTimeout: 60_000,
  pool: "forks" as const,
  isolate: false,
  globals: true,
};

/** Graphs import the package by its own name, here as in a project that has it installed. */
const resolve = { alias: { ensemble: fileURLToPath(new URL("./src/index.ts", import.meta.url)) } };

/** The tests of the API run twice: against one process that does everything, and against two APIs and two workers. */
export default defineConfig({
  test: {
    maxWorkers: 4,
    projects: [
      { resolve, test: { ...shared, name: "one process", include: ["test/**/*.test.ts"] } },
      { resolve, test: { ...shared, name: "split", include: ["test/api/**/*.test.ts"], env: { ENSEMBLE_TEST_TOPOLOGY: "split" } } },
    ],
  },
});
