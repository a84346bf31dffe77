import type { Config } from "../config.ts";
import { findPublished } from "../service/published.ts";

export interface ServiceAddress {
  url: string;
  /** Who says that the service is there: somebody who set PORT, the service itself, or nobody. */
  saidBy: "port" | "service" | "nobody";
}

/** Returns where the project's service is: at the PORT that is set, else where a running one says, else at the usual port. */
export async function ownAddress({ host, port, portIsSet, dataDir }: Config): Promise<ServiceAddress> {
  const url = addressOf(host, port);
  if (portIsSet && port !== 0) return { url, saidBy: "port" };
  const published = await findPublished(dataDir);
  return published ? { url: published, saidBy: "service" } : { url, saidBy: "nobody" };
}

/** The address to ask at: an API that listens everywhere is asked on this machine. */
function addressOf(host: string, port: number): string {
  const name = { "0.0.0.0": "127.0.0.1", "::": "::1" }[host] ?? host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}
