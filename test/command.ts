import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterFile } from "./after-file.ts";

const command = fileURLToPath(new URL("../src/cli/ensemble.ts", import.meta.url));
const probe = fileURLToPath(new URL("./probe-registry.ts", import.meta.url));
const failures = fileURLToPath(new URL("./probe-failures.ts", import.meta.url));

/** The source code of a graph that says "hi". */
export const sayHi = `
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
const State = Annotation.Root({ said: Annotation() });
const builder = new StateGraph(State).addNode("say", () => ({ said: "hi" })).addEdge(START, "say").addEdge("say", END);
`;

export const echoProject = {
  "langgraph.json": { graphs: { hi: "./hi.mjs:graph" } },
  "hi.mjs": `${sayHi} export const graph = builder.compile();`,
};

/**
 * Creates a directory with these files, and removes it after the test file. Other users may enter the directory, because Postgres runs as
 * another user if this process is root.
 */
export async function makeProject(files: Record<string, string | object>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "ensemble-project-"));
  afterFile(() => rm(root, { recursive: true, force: true }));
  await chmod(root, 0o755);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), typeof content === "string" ? content : JSON.stringify(content));
  }
  return root;
}

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts `ensemble` in a separate process, with only these environment variables. */
export function spawnCommand(args: string[], env: Record<string, string>, cwd?: string) {
  return spawn(process.execPath, [command, ...args], {
    env: { PATH: process.env.PATH, PORT: "0", ...env },
    cwd,
    timeout: 150_000,
    killSignal: "SIGKILL",
  });
}

/** Runs an `ensemble` command to its end. */
export async function runCommand(args: string[], env: Record<string, string>, cwd?: string, input = ""): Promise<CommandResult> {
  const child = spawnCommand(args, env, cwd);
  child.stdin.on("error", () => {}); // most commands do not read their standard input
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code: child.exitCode, stdout, stderr };
}

/** Loads a project and runs its graphs in a separate process. Node's own loader loads the graphs there, and not the test runner's. */
export async function probeRegistry(project: string): Promise<Record<string, unknown>> {
  const child = spawn(process.execPath, [probe, join(project, "langgraph.json")], { stdio: ["ignore", "pipe", "inherit"] });
  return JSON.parse(await text(child.stdout));
}

/** Loads projects that cannot be loaded, one after another in a separate process. Returns the sentence that says why, for each. */
export async function whyNotLoaded(projects: string[]): Promise<string[]> {
  const child = spawn(process.execPath, [failures, ...projects], { stdio: ["ignore", "pipe", "inherit"] });
  return JSON.parse(await text(child.stdout));
}

/** Returns the pid of the Postgres that runs in a data directory, according to its pid file. */
export async function postmasterPid(dataDir: string): Promise<number | undefined> {
  const written = await readFile(join(dataDir, "postgres", "postmaster.pid"), "utf8").catch(() => undefined);
  return written === undefined ? undefined : Number(written.split("\n")[0]);
}

export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Waits until a condition is true, within a time limit. */
export async function until(fact: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(20)) if (await fact()) return;
  throw new Error(`It did not come true within ${timeoutMs} ms: ${fact}`);
}
