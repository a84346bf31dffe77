import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyInstance } from "fastify";

/** Our API without a port. Another HTTP server passes requests and upgrades to it. */
export interface MountedApi {
  request(incoming: IncomingMessage, outgoing: ServerResponse): void;
  upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Stops the API. Cuts the connections of the requests that are still open, so that their clients reconnect. */
  close(): Promise<void>;
}

/** Prepares an API to receive its requests from another server. The API's own server then never listens. */
export async function mount(app: FastifyInstance): Promise<MountedApi> {
  const open = new Set<ServerResponse>();
  await app.ready();
  return {
    request(incoming, outgoing) {
      open.add(outgoing);
      outgoing.on("close", () => open.delete(outgoing));
      const { url } = incoming;
      // Our API removes its prefix from the path. Hooks of the other server that run after the response need the whole path.
      outgoing.prependListener("finish", () => Object.assign(incoming, { url }));
      app.server.emit("request", incoming, outgoing);
    },
    upgrade: (incoming, socket, head) => void app.server.emit("upgrade", incoming, socket, head),
    async close() {
      await app.close();
      for (const outgoing of open) outgoing.destroy();
      app.server.closeAllConnections(); // the connections in memory. Fastify closes them only for a server that listens
      app.server.close();
    },
  };
}
