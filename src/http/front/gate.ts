import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { Auth } from "../../auth/auth.ts";
import { type AllowedOrigins, isListed } from "./cors.ts";
import { isInMemory } from "./memory-fetch.ts";

/** The settings that the gate decides by. */
export interface GateRules {
  /** How callers authenticate. "none" without auth. */
  proof: Auth["proof"] | "none";
  /** The names that a Host may have in addition to loopback names: `name`, `*.name`, `name:port`, or `*` for all. */
  hosts: string[];
  origins: AllowedOrigins;
}

/** The parts of a request that show where it comes from. */
export interface Arrival {
  method: string;
  path: string;
  host: string | undefined;
  origin: string | undefined;
  /** `Sec-Fetch-Site`, `-Mode` and `-Dest`, which pages cannot set. Node's `fetch` sends the mode alone. */
  site: string | undefined;
  mode: string | undefined;
  dest: string | undefined;
  hasCookie: boolean;
  isSocket: boolean;
}

/** Returns the sentence that refuses a request, or undefined when it may pass. */
export type Gate = (incoming: IncomingMessage) => string | undefined;

/** Returns the gate for requests and upgrades. Calls of this process pass. `isPublicFile` names the files that pages load as scripts. */
export function createGate(rules: GateRules, isPublicFile: (path: string) => boolean): Gate {
  return (incoming) => {
    if (isInMemory(incoming.socket)) return undefined;
    const arrival = arrivalOf(incoming);
    return refuseForeignPage(arrival, rules, isPublicFile(arrival.path));
  };
}

function arrivalOf({ method = "GET", url = "/", headers }: IncomingMessage): Arrival {
  const header = (name: string) => [headers[name]].flat()[0];
  return {
    method,
    path: url.split("?")[0] ?? "",
    host: headers.host,
    origin: headers.origin,
    site: header("sec-fetch-site"),
    mode: header("sec-fetch-mode"),
    dest: header("sec-fetch-dest"),
    hasCookie: headers.cookie !== undefined,
    isSocket: headers.upgrade?.toLowerCase() === "websocket",
  };
}

/** Health checks and scrapers may use these paths under any Host. The answers hold no user's data. */
const openPaths = ["/ok", "/metrics"];

/**
 * Returns the sentence that refuses a request of a foreign web page, or undefined when the request may pass. A browser on the operator's
 * machine reaches a loopback service on behalf of any page that is open in it.
 */
export function refuseForeignPage(arrival: Arrival, rules: GateRules, isPublicFile = false): string | undefined {
  const { method, path } = arrival;
  if (openPaths.includes(path) && (method === "GET" || method === "HEAD")) return undefined;
  return refuseHost(arrival, rules) ?? refuseOrigin(arrival, rules) ?? (isPublicFile ? undefined : refuseHiddenPage(arrival, rules));
}

/** Refuses unknown Hosts without auth. DNS rebinding lets a page reach this machine, but the Host header still holds the page's own name. */
function refuseHost({ host }: Arrival, { proof, hosts }: GateRules): string | undefined {
  if (proof !== "none" || host === undefined || isKnownHost(host, hosts)) return undefined;
  return `The Host ${quote(host)} is not a name of this service. If it should be, add it to ENSEMBLE_HOSTS.`;
}

function refuseOrigin({ origin, host, hasCookie, isSocket }: Arrival, { proof, origins }: GateRules): string | undefined {
  if (origin === undefined || isOwn(origin, host) || isListed(origins, origin)) return undefined;
  const foreign = `Pages of the Origin ${quote(origin)} may not use this service`;
  const remedy = "If they should, add it to http.cors.allow_origins in langgraph.json.";
  if (proof === "custom" && hasCookie) return `${foreign} with a Cookie. ${remedy}`;
  // Browsers apply CORS to requests but not to sockets. With auth a request may pass, because the page cannot read its answer.
  return origins.all || (proof !== "none" && !isSocket) ? undefined : `${foreign}. ${remedy}`;
}

/** Refuses images, scripts, frames and forms of other sites, which send no Origin. A link that a person follows is harmless. */
function refuseHiddenPage({ method, origin, site, mode, dest, hasCookie }: Arrival, { proof, origins }: GateRules): string | undefined {
  if (origin !== undefined || site !== "cross-site") return undefined;
  if (method === "GET" && mode === "navigate" && dest === "document") return undefined;
  const isExposed = proof === "none" ? !origins.all : proof === "custom" && hasCookie;
  if (!isExposed) return undefined;
  return 'A page of another site sends this request without an Origin (Sec-Fetch-Site is "cross-site"). Use fetch with mode "cors", and name the page\'s origin in http.cors.allow_origins in langgraph.json.';
}

/** Returns whether a page of neither this service nor a named origin sends the request. */
export const isForeign = (origin: string | undefined, host: string | undefined, origins: AllowedOrigins): origin is string =>
  origin !== undefined && !isOwn(origin, host) && !isListed(origins, origin);

const isOwn = (origin: string, host: string | undefined) => host !== undefined && [`http://${host}`, `https://${host}`].includes(origin);

/** Returns whether a Host is loopback, an IP address or one of the names. Nobody can rebind an IP address. */
function isKnownHost(host: string, hosts: string[]): boolean {
  const [, given = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host.toLowerCase()) ?? [];
  const name = given.replace(/\.$/, "");
  if (name === "") return false;
  if (name === "localhost" || name.endsWith(".localhost") || isIP(name.replace(/^\[(.*)\]$/, "$1")) !== 0) return true;
  return hosts.some((pattern) => fits(pattern.toLowerCase(), name, port));
}

function fits(pattern: string, name: string, port: string | undefined): boolean {
  const [, wanted = "", wantedPort] = /^(.*?)(?::(\d+))?$/.exec(pattern) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  return wanted === "*" || (wanted.startsWith("*.") ? name.endsWith(wanted.slice(1)) : name === wanted);
}

/** Returns a header's value, quoted and cut for an error message. */
export const quote = (value: string) => JSON.stringify(value.slice(0, 200));
