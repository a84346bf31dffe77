import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger } from "pino";
import type { Metrics } from "./metrics.ts";

export interface MetricsListener {
  url: string;
  stop(): Promise<void>;
}

/**
 * Serves only /metrics, without auth, on a separate port. This is for processes without an API, and for scrapers without credentials.
 * Returns undefined if no port is set.
 */
export async function listenForScrapers(
  metrics: Metrics,
  { metricsHost: host, metricsPort }: { metricsHost: string; metricsPort: number | undefined },
  log: Logger,
): Promise<MetricsListener | undefined> {
  if (metricsPort === undefined) return undefined;
  const server = createServer(async ({ method, url = "/" }, reply) => {
    const { pathname, searchParams } = URL.parse(url, "http://localhost") ?? new URL("http://localhost/");
    if (pathname !== "/metrics" || (method !== "GET" && method !== "HEAD")) {
      reply.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("404 Not Found: this port only serves GET /metrics.");
      return;
    }
    const read = metrics.read(searchParams.get("format") === "json" ? "json" : "prometheus");
    await read.then(
      ({ type, text }) => reply.writeHead(200, { "content-type": type }).end(text),
      (err) => {
        log.error({ err }, "metrics could not be read");
        reply.writeHead(500).end();
      },
    );
  });
  server.listen(metricsPort, host);
  await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
    throw new Error(`ENSEMBLE_METRICS_PORT: ${host}:${metricsPort} cannot be listened on (${error.code}).`);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}/metrics`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
