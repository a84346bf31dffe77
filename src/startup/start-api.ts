import type { FastifyInstance } from "fastify";
import { isLoopback } from "../auth/choose-auth.ts";
import { type Config, setServiceUrl } from "../config.ts";
import type { ApiDeps } from "../http/api-deps.ts";
import { buildApp } from "../http/app.ts";
import { headerPicker } from "../http/front/configurable-headers.ts";
import { fetchInMemory } from "../http/front/memory-fetch.ts";
import { type MountedApi, mount } from "../http/front/mounted.ts";
import { createMemory } from "../http/memory.ts";
import type { ConsoleMode } from "../http/routes/console.ts";
import type { Project } from "../registry/project.ts";
import type { UserApp } from "../registry/user-app.ts";
import { retentionRules } from "../retention/retention-rules.ts";
import { sharedRunWriter } from "../runs/run-writer.ts";
import type { Fetch } from "../sdk/fetch.ts";
import { version } from "../version.ts";
import type { Closers } from "./closers.ts";

type StartDeps = Omit<ApiDeps, "version" | "settings" | "memory" | "writer" | "console" | "limits"> & { app: UserApp | undefined };

/** The API of this process. */
interface Api {
  /** The URL of the API. Undefined if another server receives its requests. */
  url: string | undefined;
  /** Passes the requests of another server to the API. Undefined if the API has a port. */
  mounted: MountedApi | undefined;
  /** Calls the API in-process. */
  fetch: Fetch;
}

/** Starts the API on its own port. */
export async function startApi(config: Config, project: Project, deps: StartDeps, closers: Closers): Promise<Api> {
  const app = await build(config, project, deps, { onlyLocal: false, isReachable: !isLoopback(config.host) });
  closers.push(() => app.close());
  const prefix = prefixOf(project);
  const url = (await listen(app, config)) + prefix;
  const restore = setServiceUrl(url);
  closers.push(async () => restore());
  return { url, mounted: undefined, fetch: fetchInMemory(app.server, prefix) };
}

/** Starts the API without a port. Another server passes its requests to `mounted`. */
export async function startMountedApi(config: Config, project: Project, deps: StartDeps, closers: Closers): Promise<Api> {
  const onlyLocal = deps.auth === undefined && !config.isOpen;
  const app = await build(config, project, deps, { onlyLocal, isReachable: !onlyLocal });
  const mounted = await mount(app);
  closers.push(mounted.close);
  return { url: undefined, mounted, fetch: fetchInMemory(app.server, prefixOf(project)) };
}

const prefixOf = ({ http }: Project) => http.mount_prefix ?? "";

interface Reach {
  /** True if the API refuses connections from other machines. */
  onlyLocal: boolean;
  /** True if other machines may be able to reach the API. */
  isReachable: boolean;
}

function build(config: Config, project: Project, { app: inFront, ...deps }: StartDeps, { onlyLocal, isReachable }: Reach) {
  const { http, resources, queues } = project;
  const hosts = [...config.hosts, config.host, ...(config.serviceUrl ? [new URL(config.serviceUrl).hostname] : [])];
  const settings = {
    ...config,
    hosts,
    onlyLocal,
    mountedAt: http.mount_prefix ?? "",
    threadTtl: retentionRules(config, project).threadTtl,
    pickHeaders: headerPicker(http.configurable_headers),
    sendsWebhooks: !http.disable_webhooks,
    queueKeyPath: queues.keyPath,
  };
  const mode = consoleMode(config, { hasAuth: deps.auth !== undefined, isReachable, hidesMeta: http.disable_meta === true });
  const own = { version, settings, memory: createMemory(), writer: sharedRunWriter(deps.pool), console: { mode }, limits: resources };
  return buildApp({ ...deps, ...own }, http, inFront);
}

interface ConsoleFacts {
  hasAuth: boolean;
  /** True if other machines may be able to reach the API. */
  isReachable: boolean;
  /** True if the project disables the endpoints about the service (`http.disable_meta`). */
  hidesMeta: boolean;
}

/**
 * Returns the mode of the console: the operator's setting, if there is one. Otherwise, the console is off in two cases:
 * - The service has no auth, and other machines can reach it.
 * - The project disables the endpoints about the service.
 */
export const consoleMode = (
  { consoleMode: wanted }: Pick<Config, "consoleMode">,
  { hasAuth, isReachable, hidesMeta }: ConsoleFacts,
): ConsoleMode => wanted ?? ((hasAuth || !isReachable) && !hidesMeta ? "on" : "off");

const maxPortTries = 100;

/**
 * Listens on the configured port, and returns the URL. If no port is configured and the default port is taken, listens on the next free
 * port.
 */
async function listen(app: FastifyInstance, { host, port, portIsSet }: Config): Promise<string> {
  const last = portIsSet ? port : port + maxPortTries;
  for (let candidate = port; ; candidate++) {
    try {
      return await app.listen({ host, port: candidate });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EADDRINUSE" && candidate < last) continue;
      throw explain(error as NodeJS.ErrnoException, host, candidate);
    }
  }
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === "EADDRINUSE")
    return new Error(`Port ${port} on ${host} is taken by another process. Choose a free one with --port or PORT.`);
  if (error.code === "EADDRNOTAVAIL") return new Error(`This machine has no address ${host} (HOST).`);
  if (error.code === "EACCES") return new Error(`This user may not listen on port ${port}. Set PORT to one above 1023.`);
  return error;
}
