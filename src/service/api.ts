import type { FastifyInstance } from "fastify";
import { type Config, lendAddress } from "../config.ts";
import { buildApp } from "../http/app.ts";
import { headerPicker } from "../http/configurable-headers.ts";
import { createMemory } from "../http/memory.ts";
import { fetchInMemory } from "../http/memory-fetch.ts";
import type { ApiRooms } from "../http/rooms.ts";
import type { Project } from "../registry/project.ts";
import type { UserApp } from "../registry/user-app.ts";
import type { Fetch } from "../sdk/fetch.ts";
import { version } from "../version.ts";
import type { Closers } from "./closers.ts";

/** Serves the API. Returns where, and how it is reached from within. */
export async function startApi(
  config: Config,
  { http }: Project,
  { app: inFront, ...rooms }: Omit<ApiRooms, "version" | "settings" | "memory"> & { app: UserApp | undefined },
  closers: Closers,
): Promise<{ url: string; fetch: Fetch }> {
  const hosts = [...config.hosts, config.host, ...(config.serviceUrl ? [new URL(config.serviceUrl).hostname] : [])];
  const settings = { ...config, hosts, pickHeaders: headerPicker(http.configurable_headers), sendsWebhooks: !http.disable_webhooks };
  const app = await buildApp({ ...rooms, version, settings, memory: createMemory() }, http, inFront);
  closers.push(() => app.close());
  const prefix = http.mount_prefix ?? "";
  const url = (await listen(app, config)) + prefix;
  const takeBack = lendAddress(url);
  closers.push(async () => takeBack());
  return { url, fetch: fetchInMemory(app.server, prefix) };
}

async function listen(app: FastifyInstance, { host, port }: Config): Promise<string> {
  return app.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EADDRINUSE") throw new Error(`Port ${port} on ${host} is taken by another process. Set PORT to a free one.`);
    if (error.code === "EADDRNOTAVAIL") throw new Error(`This machine has no address ${host} (HOST).`);
    if (error.code === "EACCES") throw new Error(`This user may not listen on port ${port}. Set PORT to one above 1023.`);
    throw error;
  });
}
