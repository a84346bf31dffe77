import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Client } from "@langchain/langgraph-sdk";
import pg from "pg";
import { pino } from "pino";
import { readConfig } from "../src/config.ts";
import { startService } from "../src/main.ts";
import { afterFile } from "./after-file.ts";
import { createDatabase } from "./database.ts";

const testProject = fileURLToPath(new URL("./graphs/langgraph.json", import.meta.url));
const command = fileURLToPath(new URL("../src/cli/ensemble.ts", import.meta.url));

export interface TestService {
  /** The official client. If the service consists of several API processes, its requests alternate between them. */
  client: Client;
  /** Sends a request without the SDK, for tests about the exact bytes. */
  fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** The database of the service, to check what is stored. */
  db: pg.Pool;
  databaseUrl: string;
  urls: string[];
}

/** Starts a whole service with the test graphs, on a new database, in the topology under test. It is stopped after the test file. */
export async function startTestService(env: Record<string, string> = {}): Promise<TestService> {
  const databaseUrl = await createDatabase();
  const settings = {
    ENSEMBLE_CONFIG: testProject,
    DATABASE_URL: databaseUrl,
    PORT: "0",
    LOG_LEVEL: "silent",
    WORKER_DRAIN_TIMEOUT: "0.2",
    ...env,
  };
  const { urls, stop } = (await topologies[process.env.ENSEMBLE_TEST_TOPOLOGY ?? "one"]?.(settings)) ?? unknownTopology();
  const db = new pg.Pool({ connectionString: databaseUrl, max: 3 });
  afterFile(async () => {
    await db.end();
    await stop();
  });
  return { ...clientFor(urls), db, databaseUrl, urls };
}

export function clientFor(urls: string[]): Pick<TestService, "client" | "fetch"> {
  let turn = 0;
  const takeTurns = (input: string | URL | Request, init?: RequestInit) => {
    const url = new URL(String(input instanceof Request ? input.url : input));
    const target = new URL(urls[turn++ % urls.length] ?? "");
    url.host = target.host;
    return fetch(url, init);
  };
  const apiUrl = urls[0] ?? "";
  return {
    client: new Client({ apiUrl, apiKey: null, callerOptions: { fetch: takeTurns, maxRetries: 0 } }),
    fetch: (path, init) => takeTurns(`${apiUrl}${path}`, init),
  };
}

const parts = ["api", "api", "worker", "worker"];

/** The topologies of the service under test. Clients should not notice which one is used. */
const topologies: Record<string, (env: Record<string, string>) => Promise<{ urls: string[]; stop: () => Promise<void> }>> = {
  one: (env) => startHere(env),
  async split(env) {
    const services = await Promise.all(parts.map((role) => startHere({ ...env, ENSEMBLE_ROLE: role })));
    return together(services);
  },
  async processes(env) {
    const processes = await Promise.all(parts.map((role) => startProcess({ ...env, ENSEMBLE_ROLE: role })));
    return together(processes.map(({ url, stop }) => ({ urls: url ? [url] : [], stop })));
  },
};

function unknownTopology(): never {
  throw new Error(`ENSEMBLE_TEST_TOPOLOGY is one of ${Object.keys(topologies).join(", ")}.`);
}

async function startHere(env: Record<string, string>) {
  const service = await startService(readConfig(env), pino({ level: env.LOG_LEVEL ?? "silent" }));
  return { urls: service.url ? [service.url] : [], stop: service.stop };
}

function together(services: { urls: string[]; stop: () => Promise<unknown> }[]) {
  return {
    urls: services.flatMap(({ urls }) => urls),
    stop: async () => void (await Promise.all(services.map(({ stop }) => stop()))),
  };
}

export interface TestProcess {
  url: string | undefined;
  child: ChildProcess;
  output: () => string;
  exited: Promise<unknown>;
  stop: () => Promise<number | null>;
}

/** Starts the service as a user does, with the command in a separate process. Resolves when the service has printed that it is ready. */
export async function startProcess(env: Record<string, string>, cwd?: string): Promise<TestProcess> {
  const child = spawn(process.execPath, [command, "start"], { env: { PATH: process.env.PATH, ...env }, cwd });
  const exited = once(child, "exit");
  let output = "";
  const ready = Promise.withResolvers<void>();
  const read = (chunk: Buffer) => {
    output += chunk;
    if (/Ensemble (listens on|worker runs)/.test(output)) ready.resolve();
  };
  child.stdout.on("data", read);
  child.stderr.on("data", read);
  void exited.then(() => ready.reject(new Error(`The service ended: ${output}`)));
  await ready.promise;
  return {
    url: /listens on (\S+)/.exec(output)?.[1],
    child,
    output: () => output,
    exited,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      await exited;
      return child.exitCode;
    },
  };
}
