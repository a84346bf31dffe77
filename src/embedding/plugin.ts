import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { type Config, setServiceUrl } from "../config.ts";
import { createLogger } from "../log.ts";
import { mountService } from "../main.ts";
import { setGlobal } from "../sdk/globals.ts";
import { readEnvironment } from "../startup/environment.ts";
import { addressOf } from "../startup/own-address.ts";
import { inTime } from "./in-time.ts";
import { acceptUpgrades } from "./upgrades.ts";

/** The options of the plugin, in addition to Fastify's own option `prefix`. */
export interface EnsembleOptions {
  /** The configuration of the service. If it is missing, the service reads the environment variables and the `env` of the project file. */
  config?: Config;
  /** The log of the service. If it is missing, the service logs to the standard output. */
  log?: Logger;
}

/**
 * Starts the service inside your Fastify app, and answers all requests below the prefix. The service opens no port. It has started when the
 * app is ready, and it stops when the app closes.
 */
export const ensemble: FastifyPluginAsync<EnsembleOptions> = Object.assign(
  async (app: FastifyInstance, { config, log }: EnsembleOptions) => {
    const prefix = checkPrefix(app);
    const release = claimProcess(prefix);
    try {
      await start(app, prefix, { config: config ?? (await readEnvironment()), log, release });
    } catch (error) {
      release();
      throw error;
    }
  },
  { [Symbol.for("plugin-meta")]: { name: "ensemble", fastify: "5.x" } }, // other versions of Fastify refuse to load the plugin
);

interface Start {
  config: Config;
  log: Logger | undefined;
  release: () => void;
}

async function start(app: FastifyInstance, prefix: string, { config, log, release }: Start): Promise<void> {
  const stopping = new AbortController();
  const options = { log: log ?? createLogger(config.logLevel, false), stopping: stopping.signal };
  const starting = mountService(config, { prefix, origin: () => originOf(app) }, options);
  const closers = [release];
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    stopping.abort();
    const started = await starting.catch(() => undefined);
    await started?.service.stop();
    for (const close of closers) close();
  };
  const stopOnce = () => (stopped ??= stop());
  // The stop begins before Fastify waits for the end of all requests. Open streams end only when the service stops, so Fastify would
  // otherwise wait forever.
  app.addHook("preClose", async () => void stopOnce());
  app.addHook("onClose", stopOnce);
  app.addHook("onListen", async () => {
    const url = (await starting).mountedUrl();
    if (url !== undefined) closers.push(setServiceUrl(url)); // graphs read this URL from the environment
  });
  const { mounted } = await inTime(starting, app.initialConfig.pluginTimeout ?? 0, stopOnce);

  const upgrades = acceptUpgrades(app, prefix);
  closers.push(upgrades.stop);
  forwardAll(app, ({ raw }, reply) => {
    reply.hijack();
    const head = upgrades.headOf(raw);
    if (head === undefined) return mounted.request(raw, reply.raw);
    reply.raw.detachSocket(raw.socket);
    mounted.upgrade(raw, raw.socket, head);
  });
}

/**
 * Registers `forward` for all requests below the prefix. `forward` is the last hook before the handler, so that the app's own hooks run
 * first. The body is not parsed here, because the service reads the body.
 */
function forwardAll(app: FastifyInstance, forward: (request: FastifyRequest, reply: FastifyReply) => void): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _body, done) => done(null));
  const preHandler = (request: FastifyRequest, reply: FastifyReply) => forward(request, reply);
  const handler = () => {}; // never called, because `forward` takes over every request
  const route = { method: app.supportedMethods, schema: { hide: true }, exposeHeadRoute: false, preHandler, handler };
  for (const url of ["/", "/*"]) app.route({ ...route, url });
}

/** Returns the path at which the plugin is registered. */
function checkPrefix({ prefix, initialConfig }: FastifyInstance): string {
  if (initialConfig.http2) throw new Error("Ensemble cannot be mounted in an HTTP/2 server. Put a proxy in front that speaks HTTP/2.");
  if (!/^(\/[\w.~-]+)*\/?$/.test(prefix)) throw new Error(`The prefix "${prefix}" of Ensemble is not a path like "/agents".`);
  return prefix.replace(/\/$/, "");
}

/** Refuses a second mounted service in this process, because the in-process calls of its graphs would reach the wrong service. */
function claimProcess(prefix: string): () => void {
  const key = Symbol.for("ensemble.mounted");
  const other: { prefix: string } | undefined = Reflect.get(globalThis, key);
  if (other !== undefined)
    throw new Error(
      `Ensemble already runs in this process, at "${other.prefix}". Close that app first, or start the second one in another process.`,
    );
  return setGlobal(key, { prefix }); // a new object for each mount, so that only this mount can remove its own claim
}

/**
 * Returns the origin at which this process can call the app. Returns undefined if the app does not listen or if it uses TLS. A TLS
 * certificate is valid for a host name, which only the operator knows.
 */
function originOf(app: FastifyInstance): string | undefined {
  const address = app.addresses().find((one) => typeof one === "object");
  return address && !app.initialConfig.https ? addressOf(address.address, address.port) : undefined;
}
