import { lookup } from "node:dns/promises";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { isInside } from "./inside.ts";
import { textOfPage } from "./page-text.ts";

const longestPage = 200_000;
const timeoutMs = 10_000;
const mostRedirects = 5;

export type Resolve = (host: string) => Promise<{ address: string; family: number }[]>;

export interface FetchOptions {
  /** The internal hosts whose pages may be read, each with its port. */
  allowedHosts: string[];
  signal?: AbortSignal | undefined;
  resolve?: Resolve;
}

/** Returns the text of a page. Follows redirects itself, so that each new address is checked like the first one. */
export async function fetchPage(address: string, { allowedHosts, signal, resolve = resolveAll }: FetchOptions): Promise<string> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const until = signal ? AbortSignal.any([signal, timeout]) : timeout;
  let url = address;
  for (let hop = 0; hop <= mostRedirects; hop++) {
    const target = admit(url);
    const response = await get(target, until, allowedHosts.includes(target.host) ? undefined : resolve);
    const { statusCode = 0, headers } = response;
    if (statusCode < 300 || statusCode >= 400 || !headers.location) return readPage(response);
    response.destroy();
    url = new URL(headers.location, target).href;
  }
  throw new Error(`More than ${mostRedirects} redirects.`);
}

const resolveAll: Resolve = (host) => lookup(host, { all: true });

function admit(address: string): URL {
  if (!URL.canParse(address)) throw new Error(`"${address}" is not an address.`);
  const url = new URL(address);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new Error("Only http and https addresses can be read.");
  return url;
}

/**
 * Requests a URL. If `resolve` is given, internal addresses are refused. The caller omits `resolve` for a host that the operator has
 * allowed, so that this host may have an internal address.
 */
function get(url: URL, signal: AbortSignal, resolve: Resolve | undefined): Promise<IncomingMessage> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (resolve && isIP(host) && isInside(host)) throw new Error(describeInside(url.host)); // an IP address needs no lookup
  const answered = Promise.withResolvers<IncomingMessage>();
  const { request } = url.protocol === "https:" ? https : http;
  const headers = { accept: "text/*, application/json", "accept-encoding": "identity", "user-agent": "node" };
  const call = request(url, { headers, agent: false, signal, ...(resolve && { lookup: lookupOutside(resolve) }) });
  call.on("error", (error) => answered.reject(signal.aborted ? signal.reason : error));
  call.on("response", answered.resolve);
  call.end();
  return answered.promise;
}

/**
 * Returns a lookup function that refuses internal addresses. The connection uses the addresses that were checked here, because a second
 * DNS answer could contain others.
 */
function lookupOutside(resolve: Resolve): LookupFunction {
  const find = async (host: string) => {
    const addresses = await resolve(host);
    if (addresses.some(({ address }) => isInside(address))) throw new Error(describeInside(host));
    return addresses;
  };
  return (host, { all }, callback) => {
    find(host).then(
      (addresses) => (all ? callback(null, addresses) : callback(null, addresses[0]?.address ?? "", addresses[0]?.family)),
      (error) => callback(error, []),
    );
  };
}

const describeInside = (host: string) => `${host} is inside our own network and may not be read.`;

async function readPage(response: IncomingMessage): Promise<string> {
  const { statusCode = 0, headers } = response;
  const type = headers["content-type"] ?? "";
  try {
    if (statusCode < 200 || statusCode >= 300) throw new Error(`The page answers ${statusCode}.`);
    if (!/text|json|xml/.test(type)) throw new Error(`The page is ${type || "of no known type"}, not text.`);
    if ((headers["content-encoding"] ?? "identity") !== "identity")
      throw new Error("The page is compressed, although it was asked not to be.");
    return textOfPage(await readStart(response));
  } finally {
    response.destroy();
  }
}

async function readStart(response: IncomingMessage): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > longestPage) break;
  }
  return text.slice(0, longestPage);
}
