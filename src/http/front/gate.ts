import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { Auth } from "../../auth/auth.ts";
import { type AllowedOrigins, isListed } from "./cors.ts";
import { isInMemory } from "./memory-fetch.ts";

/** The rules by which the gate decides whether a request may pass. */
export interface GateRules {
  /** How callers authenticate, or "none" if the service runs without auth. */
  proof: Auth["proof"] | "none";
  /** The names that a Host header may have in addition to loopback names: `name`, `*.name`, `name:port`, or `*` for all names. */
  hosts: string[];
  origins: AllowedOrigins;
  /** True if the service accepts only connections from this machine. */
  onlyLocal?: boolean;
}

/** The parts of a request that show which page or program sent it. */
export interface Arrival {
  method: string;
  path: string;
  host: string | undefined;
  origin: string | undefined;
  /**
   * Three headers that a browser sets and a page cannot change: `Sec-Fetch-Site`, `Sec-Fetch-Mode` and `Sec-Fetch-Dest`. Programs usually
   * send none of them, but Node's `fetch` sends `Sec-Fetch-Mode`.
   */
  site: string | undefined;
  mode: string | undefined;
  dest: string | undefined;
  hasCookie: boolean;
  isSocket: boolean;
}

/** Returns the reason for refusing a request as a sentence, or undefined if the request may pass. */
export type Gate = (incoming: IncomingMessage) => string | undefined;

/**
 * Returns the gate. It refuses requests and upgrades that a foreign web page has sent through the user's browser. Calls from this process
 * always pass. `isPublicFile` tells which files any page may load as scripts.
 */
export function createGate(rules: GateRules, isPublicFile: (path: string) => boolean): Gate {
  return (incoming) => {
    if (isInMemory(incoming.socket)) return undefined;
    if (rules.onlyLocal && !isLocal(incoming.socket.localAddress)) return refusal;
    const arrival = arrivalOf(incoming);
    return refuseForeignPage(arrival, rules, isPublicFile(arrival.path));
  };
}

const refusal =
  "This service has no auth, so it accepts only connections to a loopback address. Set ENSEMBLE_API_KEYS or ENSEMBLE_JWT_JWKS_URL, or set ENSEMBLE_AUTH=none if the app in front of it authenticates its users.";

/** Tells whether a connection was made to a loopback address. A Unix socket has no address, and is local too. */
const isLocal = (address: string | undefined) => address === undefined || /^(::ffff:)?127\.|^::1$/.test(address);

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

/** The paths that are open to every page and every Host header, for health checks and scrapers. Their responses contain no user data. */
const openPaths = ["/ok", "/metrics"];

/**
 * Returns a sentence that refuses a request of a foreign web page, or undefined if the request may pass. A service on the operator's own
 * machine needs this check, because any page in the browser on that machine can reach the service.
 */
export function refuseForeignPage(arrival: Arrival, rules: GateRules, isPublicFile = false): string | undefined {
  const { method, path } = arrival;
  if (openPaths.includes(path) && (method === "GET" || method === "HEAD")) return undefined;
  return refuseHost(arrival, rules) ?? refuseOrigin(arrival, rules) ?? (isPublicFile ? undefined : refuseHiddenPage(arrival, rules));
}

/**
 * If the service runs without auth, refuses a Host header with an unknown name. Through DNS rebinding, a foreign page can make the browser
 * send a request to this machine under the page's own host name. The Host header then contains that name.
 */
function refuseHost({ host }: Arrival, { proof, hosts }: GateRules): string | undefined {
  if (proof !== "none" || host === undefined || isKnownHost(host, hosts)) return undefined;
  return `The Host ${quote(host)} is not a name of this service. If it should be, add it to ENSEMBLE_HOSTS.`;
}

function refuseOrigin({ origin, host, hasCookie, isSocket }: Arrival, { proof, origins }: GateRules): string | undefined {
  if (origin === undefined || isOwn(origin, host) || isListed(origins, origin)) return undefined;
  const foreign = `Pages of the Origin ${quote(origin)} may not use this service`;
  const remedy = "If they should, add it to http.cors.allow_origins in langgraph.json.";
  if (proof === "custom" && hasCookie) return `${foreign} with a Cookie. ${remedy}`;
  // If the service has auth, an ordinary request may pass, because CORS keeps the foreign page from reading the response. Browsers do not
  // apply CORS to WebSockets, so a WebSocket may not pass.
  return origins.all || (proof !== "none" && !isSocket) ? undefined : `${foreign}. ${remedy}`;
}

/**
 * Refuses requests that pages of other sites make through images, scripts, frames and forms. Browsers may send such requests without an
 * Origin header. A link that a person follows may pass, because following a link does no harm.
 */
function refuseHiddenPage({ method, origin, site, mode, dest, hasCookie }: Arrival, { proof, origins }: GateRules): string | undefined {
  if (origin !== undefined || site !== "cross-site") return undefined;
  if (method === "GET" && mode === "navigate" && dest === "document") return undefined;
  const isExposed = proof === "none" ? !origins.all : proof === "custom" && hasCookie;
  if (!isExposed) return undefined;
  return 'A page of another site sends this request without an Origin (Sec-Fetch-Site is "cross-site"). Use fetch with mode "cors", and name the page\'s origin in http.cors.allow_origins in langgraph.json.';
}

/** Tells whether a request comes from a page of another origin that the allowed origins do not list. */
export const isForeign = (origin: string | undefined, host: string | undefined, origins: AllowedOrigins): origin is string =>
  origin !== undefined && !isOwn(origin, host) && !isListed(origins, origin);

const isOwn = (origin: string, host: string | undefined) => host !== undefined && [`http://${host}`, `https://${host}`].includes(origin);

/**
 * Tells whether a Host header contains one of these names, a loopback name or an IP address. IP addresses are safe, because DNS rebinding
 * needs a name.
 */
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

/** Returns a header's value, shortened and in quotes, for an error message. */
export const quote = (value: string) => JSON.stringify(value.slice(0, 200));
