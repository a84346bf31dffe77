import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions, type ServerResponse } from "node:http";
import type { FastifyServerFactory } from "fastify";
import type { UserApp } from "../../registry/user-app.ts";
import { refuseConnection } from "../answers/answer-errors.ts";
import { type FrontOptions, frontListener } from "./front.ts";
import { memoryFetch } from "./memory-fetch.ts";

/** Describes the steps that a request passes before it reaches our routes: the path prefix, and the HTTP app of the user's project. */
export interface Approach {
  /** The path prefix of all routes, such as "/api". An empty string means no prefix. */
  prefix: string;
  app: UserApp | undefined;
  front: Omit<FrontOptions, "forward">;
}

export type ArrivalLimits = Pick<ServerOptions, "requestTimeout" | "headersTimeout" | "connectionsCheckingInterval">;

/**
 * Returns the time limits for the arrival of a request, and the interval at which Node checks them. Node's default interval of 30 seconds
 * would be too long for short limits.
 */
export function arrivalLimits(seconds: number): ArrivalLimits & { requestTimeout: number } {
  const limit = Math.ceil(seconds * 1000);
  return { requestTimeout: limit, headersTimeout: limit, connectionsCheckingInterval: Math.min(1_000, limit) };
}

/** The paths of health checks. They also work without the prefix, because our own command line calls them without it. */
const healthPaths = ["/ok", "/info"];

/**
 * Tells whether a request may be upgraded to a WebSocket. A request for any other upgrade is handled as an ordinary request, because curl
 * and Java offer an upgrade to HTTP/2 even if nobody asks for it.
 */
export function wantsSocket({ headers, url = "" }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === "websocket" && /\/stream\/events\/?(\?|$)/.test(url);
}

/**
 * Returns the server factory for an API with a prefix, or with the project's app before our routes. Upgrades bypass that app, because the
 * app can only handle plain requests.
 */
export function serverFactory({ prefix, app, front }: Approach, arrival: ArrivalLimits = {}): FastifyServerFactory {
  return (ours) => {
    const listener = app ? inFront(app, front, ours as RequestListener) : { listen: ours as RequestListener, close: () => {} };
    const options = { shouldUpgradeCallback: wantsSocket, ...arrival };
    const server = createServer(options, prefix ? below(prefix, listener.listen) : listener.listen);
    server.on("close", listener.close);
    server.keepAliveTimeout = 72_000; // the default of Fastify, which is longer than Node's
    if (prefix) takePrefixOffUpgrades(server, prefix);
    return server;
  };
}

function inFront(app: UserApp, options: Omit<FrontOptions, "forward">, ours: RequestListener): { listen: RequestListener; close(): void } {
  const behind = createServer({ requestTimeout: 0, keepAliveTimeout: 0 }, ours); // this server never listens on a port
  behind.on("clientError", refuseConnection);
  const { fetch, close } = memoryFetch(behind);
  return { listen: frontListener(app, { ...options, forward: fetch }), close };
}

function below(prefix: string, listen: RequestListener): RequestListener {
  return (incoming: IncomingMessage, outgoing: ServerResponse) => {
    if (takePrefixOff(incoming, prefix)) listen(incoming, outgoing as Parameters<RequestListener>[1]);
    else outgoing.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end(`404 Not Found: everything here is below ${prefix}.`);
  };
}

function takePrefixOff(incoming: IncomingMessage, prefix: string): boolean {
  const { url = "/" } = incoming;
  const rest = url.slice(prefix.length);
  const isBelow = url.startsWith(prefix) && (rest === "" || rest.startsWith("/") || rest.startsWith("?"));
  if (isBelow) incoming.url = rest.startsWith("/") ? rest : `/${rest}`;
  return isBelow || healthPaths.includes(url.split("?")[0] ?? "");
}

/**
 * Removes the prefix from the paths of upgrade requests. Waits with its own listener until the server has another listener for upgrades.
 * With only this listener, Node would assume that upgrades are handled, and the clients would get no response.
 */
function takePrefixOffUpgrades(server: Server, prefix: string): void {
  server.on("newListener", function onFirst(event) {
    if (event !== "upgrade") return;
    server.off("newListener", onFirst);
    server.on("upgrade", (incoming) => {
      if (!takePrefixOff(incoming, prefix)) incoming.url = "/";
    });
  });
}
