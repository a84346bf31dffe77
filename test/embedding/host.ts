import { fileURLToPath } from "node:url";
import { Client } from "@langchain/langgraph-sdk";
import { ensemble, readConfig } from "ensemble";
import Fastify, { type FastifyInstance, type FastifyServerOptions } from "fastify";
import { pino } from "pino";
import { afterFile } from "../after-file.ts";

const testProject = fileURLToPath(new URL("../graphs/langgraph.json", import.meta.url));

/** A user's own Fastify app, with the service below /agents. */
export interface Host {
  app: FastifyInstance;
  /** The URL of the app. */
  url: string;
  /** The official client of the service. */
  client: Client;
  /** The requests that the app's own hook has seen, such as "POST /agents/threads". */
  seen: string[];
  /** The requests that have been answered, with their status, such as "POST /agents/threads 200". */
  answered: string[];
}

export const configOf = (databaseUrl: string, env: Record<string, string> = {}) =>
  readConfig({ ENSEMBLE_CONFIG: testProject, DATABASE_URL: databaseUrl, WORKER_DRAIN_TIMEOUT: "0.2", ...env });

interface HostOptions {
  env?: Record<string, string>;
  fastify?: FastifyServerOptions;
  /** Adds the app's own plugins and routes, before the service is registered. */
  before?: (app: FastifyInstance) => unknown;
  host?: string;
}

/** Starts an app as a user would write it: with its own route, its own hook, and the service below a prefix. */
export async function startHost(databaseUrl: string, { env, fastify, before, host = "127.0.0.1" }: HostOptions = {}): Promise<Host> {
  const app = Fastify({ pluginTimeout: 120_000, ...fastify });
  afterFile(() => app.close());
  const seen: string[] = [];
  const answered: string[] = [];
  app.addHook("onRequest", async ({ method, url, headers }, reply) => {
    seen.push(`${method} ${url}`);
    if (headers["x-badge"] === "none") return reply.code(402).send({ error: "Show your badge." });
  });
  app.addHook("onResponse", async ({ method, url }, { raw }) => void answered.push(`${method} ${url} ${raw.statusCode}`));
  app.get("/hello", async () => ({ hello: "world" }));
  await before?.(app);
  await app.register(ensemble, { prefix: "/agents", config: configOf(databaseUrl, env), log: pino({ level: "silent" }) });
  await app.listen({ host, port: 0 });
  const url = app.listeningOrigin;
  return { app, url, client: new Client({ apiUrl: `${url}/agents`, apiKey: null, callerOptions: { maxRetries: 0 } }), seen, answered };
}
