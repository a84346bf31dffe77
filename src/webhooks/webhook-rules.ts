import { isIP } from "node:net";
import { isInside } from "./inside.ts";

/** The rules for the URLs of webhooks. */
export interface WebhookRules {
  /** True to allow only https, and false to allow http as well. Undefined allows http only for the hosts in `insideHosts`. */
  requireHttps: boolean | undefined;
  /** The domains to which webhooks may be sent. An empty list allows every domain. */
  allowedDomains: string[];
  allowedPorts: number[];
  maxUrlLength: number;
  /** True if a URL may be a path ("/path"), which calls the service's own API. */
  allowPaths: boolean;
  /** The hosts inside our own network to which webhooks may be sent. All other hosts inside our network are refused. */
  insideHosts: string[];
}

/** The options under `webhooks.url` in langgraph.json. */
export interface UrlOptions {
  require_https?: boolean | undefined;
  allowed_domains?: string[] | undefined;
  allowed_ports?: number[] | undefined;
  max_url_length?: number | undefined;
  disable_loopback?: boolean | undefined;
}

const maxUrlLength = 4_096;

export function webhookRules(url: UrlOptions = {}, insideHosts: string[] = []): WebhookRules {
  return {
    requireHttps: url.require_https,
    allowedDomains: url.allowed_domains ?? [],
    allowedPorts: url.allowed_ports ?? [],
    maxUrlLength: url.max_url_length ?? maxUrlLength,
    allowPaths: !url.disable_loopback,
    insideHosts,
  };
}

/** Returns the reason why the rules refuse a receiver's URL, or undefined if they allow it. Makes no DNS lookup. */
export function objectionTo(receiver: string, rules: WebhookRules): string | undefined {
  if (receiver.length > rules.maxUrlLength) return `is longer than ${rules.maxUrlLength} characters`;
  if (isPath(receiver)) return objectionToPath(receiver, rules);
  if (!/^https?:\/\//i.test(receiver) || !URL.canParse(receiver))
    return "must be an https URL, or a path of this service that begins with one /";
  const url = new URL(receiver);
  if (isAllowedInside(url, rules)) return url.protocol === "http:" && rules.requireHttps ? "must be https" : undefined;
  if (url.protocol === "http:" && rules.requireHttps !== false) return "must be https";
  if (rules.allowedDomains.length > 0 && !isAmong(rules.allowedDomains, url))
    return `names ${url.host}, which is not among the allowed domains`;
  if (rules.allowedPorts.length > 0 && !rules.allowedPorts.includes(portOf(url))) return `names port ${portOf(url)}, which is not allowed`;
  return namesInside(url) ? describeInside(url.host) : undefined;
}

export const describeInside = (host: string) =>
  `leads to ${host}, which is inside this service's own network; ENSEMBLE_WEBHOOK_INSIDE_HOSTS can allow it`;

const anywhere = "http://own.invalid";

/**
 * Tells whether a receiver is a path on the service itself. Returns false for a path that begins with two slashes or backslashes, because
 * such a path would name another host.
 */
export function isPath(receiver: string): boolean {
  return receiver.startsWith("/") && URL.canParse(receiver, anywhere) && new URL(receiver, anywhere).origin === anywhere;
}

/**
 * Returns the host of a receiver in its normal form, by which deliveries are grouped and limited. For a path on the service itself, returns
 * an empty text.
 */
export function hostOf(receiver: string): string {
  if (isPath(receiver)) return "";
  return URL.canParse(receiver) ? hostnameOf(new URL(receiver)) : receiver;
}

const hostnameOf = ({ hostname }: URL) => hostname.replace(/\.$/, "");

function objectionToPath(path: string, { allowPaths }: WebhookRules): string | undefined {
  if (!allowPaths) return "must be a whole URL: paths of this service are not allowed here";
  return staysBelow(path) ? undefined : "must stay below the address of this service: it goes up with ..";
}

/**
 * Tells whether a path stays below the service's own prefix. A path that begins with `/..` after `https://host/ensemble` would lead to
 * another app on that host, which would then get the service's own key. The check is strict, because some servers decode dots and slashes
 * several times, or cut off the text after a semicolon.
 */
function staysBelow(path: string): boolean {
  const { pathname } = new URL(`${anywhere}/here${path}`);
  return pathname.startsWith("/here/") && !/[/\\]\.\.([/\\;]|$)/.test(decode(pathname));
}

function decode(text: string, rounds = 5): string {
  const decoded = text.replace(/%(?:25)*([\da-f]{2})/gi, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)));
  return decoded === text || rounds === 1 ? decoded : decode(decoded, rounds - 1);
}

/** Tells whether the operator allows webhooks to this host inside our own network. */
export function isAllowedInside(url: URL, { insideHosts }: WebhookRules): boolean {
  return isAmong(insideHosts, url);
}

/**
 * Tells whether a URL matches one of the patterns. `*.` at the start of a pattern stands for any subdomain. A pattern with a port matches
 * only that port.
 */
function isAmong(patterns: string[], url: URL): boolean {
  const host = hostnameOf(url);
  return patterns.some((pattern) => {
    const [, name = "", port] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(pattern.toLowerCase()) ?? [];
    if (port !== undefined && Number(port) !== portOf(url)) return false;
    return name.startsWith("*.") ? host.endsWith(name.slice(1)) && host.length > name.length - 1 : name !== "" && host === name;
  });
}

function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === "https:" ? 443 : 80);
}

function namesInside(url: URL): boolean {
  const host = hostnameOf(url).replace(/^\[|\]$/g, "");
  return isIP(host) ? isInside(host) : /(^|\.)localhost$/.test(host);
}
