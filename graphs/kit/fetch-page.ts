import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { textOfPage } from "./page-text.ts";

const longestPage = 200_000;
const timeoutMs = 10_000;
const mostRedirects = 5;

/** Addresses that lead back into our own network: loopback, private, link-local (cloud metadata), and what cannot be a server. */
const inside = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
] as const) {
  inside.addSubnet(network, prefix, "ipv4");
}
for (const [network, prefix] of [
  ["::", 127],
  ["64:ff9b::", 96],
  ["fc00::", 7],
  ["fe80::", 10],
  ["ff00::", 8],
] as const) {
  inside.addSubnet(network, prefix, "ipv6");
}

export interface FetchOptions {
  /** Hosts, with their port, that may be read although they are inside. */
  allowedHosts: string[];
  signal?: AbortSignal | undefined;
}

/** The text of a page. Redirects are followed one by one, each looked at like the first address. */
export async function fetchPage(address: string, { allowedHosts, signal }: FetchOptions): Promise<string> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const until = signal ? AbortSignal.any([signal, timeout]) : timeout;
  let url = address;
  for (let hop = 0; hop <= mostRedirects; hop++) {
    const target = await admit(url, allowedHosts);
    const response = await fetch(target, { redirect: "manual", signal: until, headers: { accept: "text/*, application/json" } });
    const location = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || !location) return readPage(response);
    await response.body?.cancel();
    url = new URL(location, target).href;
  }
  throw new Error(`More than ${mostRedirects} redirects.`);
}

async function admit(address: string, allowedHosts: string[]): Promise<URL> {
  if (!URL.canParse(address)) throw new Error(`"${address}" is not an address.`);
  const url = new URL(address);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new Error("Only http and https addresses can be read.");
  if (allowedHosts.includes(url.host)) return url;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = isIP(host) ? [{ address: host, family: isIP(host) }] : await lookup(host, { all: true });
  if (addresses.some(({ address: ip, family }) => isInside(ip, family)))
    throw new Error(`${url.host} is inside our own network and may not be read.`);
  return url;
}

function isInside(address: string, family: number): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return inside.check(mapped, "ipv4");
  return /^::ffff:/i.test(address) || inside.check(address, family === 6 ? "ipv6" : "ipv4");
}

async function readPage(response: Response): Promise<string> {
  if (!response.ok) throw new Error(`The page answers ${response.status}.`);
  const type = response.headers.get("content-type") ?? "";
  if (!/text|json|xml/.test(type)) throw new Error(`The page is ${type || "of no known type"}, not text.`);
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > longestPage) break;
  }
  return textOfPage(text.slice(0, longestPage));
}
