import type { Config } from "../config.ts";
import { findPublished } from "../service/published.ts";

export interface ServiceAddress {
  url: string;
  /** The source of the URL: the PORT that is set, the running service, or nothing. */
  source: "port" | "service" | "nobody";
}

/** Returns the URL of the project's service: the PORT that is set, else the published URL of a running service, else the default port. */
export async function ownAddress({ host, port, portIsSet, dataDir }: Config): Promise<ServiceAddress> {
  const url = addressOf(host, port);
  if (portIsSet && port !== 0) return { url, source: "port" };
  const published = await findPublished(dataDir);
  return published ? { url: published, source: "service" } : { url, source: "nobody" };
}

/** Returns the URL for requests. A service that listens on all addresses is called on this machine. */
function addressOf(host: string, port: number): string {
  const name = { "0.0.0.0": "127.0.0.1", "::": "::1" }[host] ?? host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}
