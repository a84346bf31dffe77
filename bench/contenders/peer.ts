import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { LoadResult } from "../load/load.ts";
import { startProcess } from "../process.ts";
import type { Stage } from "../stage.ts";
import type { Contender } from "./contender.ts";
import { benchProject } from "./service.ts";

export const peerName = "dev server";
/**
 * The number of the dev server's worker slots, which is enough for every part. With the default of ten, only its timers would be measured.
 */
const slots = 50;
const installTimeoutMs = 300_000;

const home = fileURLToPath(new URL("../peer/", import.meta.url));
const api = join(home, "node_modules/@langchain/langgraph-api");
const Project = z.object({ graphs: z.record(z.string(), z.string()) });

/**
 * Starts LangGraph's JavaScript dev server with the same graphs. Installs it first if necessary. If this fails, prints a sentence and
 * returns undefined.
 */
export async function startPeer(stage: Stage, env: Record<string, string> = {}): Promise<Contender | undefined> {
  try {
    if (!existsSync(api)) await installPeer();
    return await startDevServer(stage, env);
  } catch (error) {
    console.error(`There is no dev server to compare with, so its rows are empty. ${explain(error)}`);
    return undefined;
  }
}

/** Returns the first line of an error's message, and npm's own errors. Leaves out the rest of npm's output. */
function explain(error: unknown): string {
  const [first, ...lines] = String(error).split("\n");
  return [first, ...lines.filter((line) => line.startsWith("npm error ")).slice(0, 4)].join("\n");
}

async function installPeer(): Promise<void> {
  console.error("Installing the dev server to compare with (once, into bench/peer) …");
  const arguments_ = ["install", "--prefix", home, "--no-audit", "--no-fund", "--no-package-lock"];
  await promisify(execFile)("npm", arguments_, { cwd: home, timeout: installTimeoutMs });
}

async function startDevServer(stage: Stage, env: Record<string, string>): Promise<Contender> {
  const cwd = join(stage.home, "peer"); // the dev server sometimes stores its memory in this directory
  await mkdir(cwd, { recursive: true });
  const options = { port: await freePort(), nWorkers: slots, host: "127.0.0.1", cwd, graphs: await graphFiles() };
  const { pid, found, stop } = await startProcess(
    ["--import", `file://${join(api, "dist/preload.mjs")}`, join(home, "server.js"), JSON.stringify(options)],
    { NODE_ENV: "development", LOG_LEVEL: "error", LANGSMITH_TRACING: "false", LANGCHAIN_TRACING_V2: "false", ...env },
    /peer listens on (\S+)/,
  );
  return { name: peerName, pids: [pid], stop, run: (load) => stage.driver.ask({ urls: [found], load }, LoadResult) };
}

async function graphFiles(): Promise<Record<string, string>> {
  const { graphs } = Project.parse(JSON.parse(await readFile(benchProject, "utf8")));
  return Object.fromEntries(Object.entries(graphs).map(([graphId, path]) => [graphId, resolve(dirname(benchProject), path)]));
}

/** Returns a free port. The dev server cannot pick one, because it does not report its port. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, "127.0.0.1", done));
  const address = probe.address();
  await new Promise((done) => probe.close(done));
  return typeof address === "object" && address ? address.port : 0;
}
