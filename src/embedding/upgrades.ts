import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import { wantsSocket } from "../http/front/server.ts";

/** The upgrades to WebSockets below a prefix. */
export interface Upgrades {
  /**
   * Returns the bytes that the client sent directly after an upgrade request. Returns undefined if the request is not an upgrade below the
   * prefix.
   */
  headOf(incoming: IncomingMessage): Buffer | undefined;
  stop(): void;
}

/**
 * The property of an HTTP server that decides about upgrade requests. Node 24.9 and newer call this function for each upgrade request, and
 * treat the request as an ordinary one if the function returns false. An older Node upgrades every such request if the server has a
 * listener for upgrades.
 */
type Decides = { shouldUpgradeCallback?: (incoming: IncomingMessage) => boolean };

/**
 * Sends upgrades below the prefix through the app's router, so that the app's hooks can refuse them like other requests. Leaves all other
 * upgrades to the app.
 */
export function acceptUpgrades(app: FastifyInstance, prefix: string): Upgrades {
  const server: Server & Decides = app.server;
  const heads = new WeakMap<IncomingMessage, Buffer>();
  const isOurs = (incoming: IncomingMessage) => incoming.url?.startsWith(`${prefix}/`) === true && wantsSocket(incoming);
  const hasOtherListeners = () => server.listenerCount("upgrade") > 1;

  const decide = server.shouldUpgradeCallback;
  if (decide) server.shouldUpgradeCallback = (incoming) => isOurs(incoming) || (hasOtherListeners() && decide.call(server, incoming));

  const onUpgrade = (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    const ours = isOurs(incoming);
    if (ours) heads.set(incoming, head);
    // Other listeners handle the upgrades that are not ours. If @fastify/websocket is one of them, it also sends our upgrades through the
    // router.
    if (hasOtherListeners() && (!ours || app.hasDecorator("websocketServer"))) return;
    route(app, incoming, socket);
  };
  server.prependListener("upgrade", onUpgrade);
  // Node no longer manages the connection of an upgrade request. If a hook of the app has responded to the request, the connection is
  // therefore closed here.
  app.addHook("onResponse", async ({ raw }) => void (heads.has(raw) && raw.socket.destroySoon()));
  return {
    headOf: (incoming) => heads.get(incoming),
    stop() {
      server.off("upgrade", onUpgrade);
      if (decide) server.shouldUpgradeCallback = decide;
    },
  };
}

/** Sends an upgrade through the router. If the app sends an ordinary response, the connection ends after this response. */
function route(app: FastifyInstance, incoming: IncomingMessage, socket: Socket): void {
  socket.on("error", () => socket.destroy());
  const outgoing = new ServerResponse(incoming);
  outgoing.shouldKeepAlive = false;
  outgoing.assignSocket(socket);
  outgoing.on("finish", () => socket.end());
  app.routing(incoming, outgoing);
}
