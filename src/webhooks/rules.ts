import { isIP } from "node:net";
import { isInside } from "./inside.ts";

/** Where webhooks may go. */
export interface WebhookRules {
  /** True: https only. False: http as well. Undefined: http only to hosts that are allowed inside our own network. */
  requireHttps: boolean | undefined;
  /** Empty: any. */
  allowedDomains: string[];
  allowedPorts: number[];
  longestUrl: number;
  /** Whether "/path" means our own app. */
  allowPaths: boolean;
  /** Hosts of our own network that may be called all the same. */
  insideHosts: string[];
}

/** `webhooks.url` in langgraph.json. */
export interface UrlOptions {
  require_https?: boolean | undefined;
  allowed_domains?: string[] | undefined;
  allowed_ports?: number[] | undefined;
  max_url_length?: number | undefined;
  disable_loopback?: boolean | undefined;
}

const longestUrl = 4_096;

export function webhookRules(url: UrlOptions = {}, insideHosts: string[] = []): WebhookRules {
  return {
    requireHttps: url.require_https,
    allowedDomains: url.allowed_domains ?? [],
    allowedPorts: url.allowed_ports ?? [],
    longestUrl: url.max_url_length ?? longestUrl,
    allowPaths: !url.disable_loopback,
    insideHosts,
  };
}

/** What the rules have against a receiver, as far as it can be told without asking for its address. */
export function objectionTo(receiver: string, rules: WebhookRules): string | undefined {
  if (receiver.length > rules.longestUrl) return `is longer than ${rules.longestUrl} characters`;
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

/** A path of our own app. Two slashes, also written backwards, would name another host. */
export function isPath(receiver: string): boolean {
  return receiver.startsWith("/") && URL.canParse(receiver, anywhere) && new URL(receiver, anywhere).origin === anywhere;
}

/** What tells receivers apart whose turns are shared out: the host as it is called, however it is written. Empty: our own app. */
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
 * Whether a path stays below what it is put behind: `/..` behind `https://host/ensemble` would show the service's own key to its neighbours.
 * Proxies and other servers read dots and slashes that are encoded, once or several times, and cut off what stands behind a semicolon.
 */
function staysBelow(path: string): boolean {
  const { pathname } = new URL(`${anywhere}/here${path}`);
  return pathname.startsWith("/here/") && !/[/\\]\.\.([/\\;]|$)/.test(decode(pathname));
}

function decode(text: string, rounds = 5): string {
  const decoded = text.replace(/%(?:25)*([\da-f]{2})/gi, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)));
  return decoded === text || rounds === 1 ? decoded : decode(decoded, rounds - 1);
}

/** The operator has named this host, and means what it leads to. */
export function isAllowedInside(url: URL, { insideHosts }: WebhookRules): boolean {
  return isAmong(insideHosts, url);
}

/** Host names, with `*.` before them for those below, and with a port behind them if only that one is meant. */
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
