import { promises as dns, type LookupAddress } from "node:dns";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import type { LookupFunction } from "node:net";
import { isInside } from "./inside.ts";
import type { Message } from "./message.ts";
import { describeInside, isAllowedInside, isPath, objectionTo, type WebhookRules } from "./webhook-rules.ts";

/**
 * The reason why a delivery failed. Undefined if it succeeded. If `hopeless` is true, further tries would fail too, so none must be made.
 */
export type Failure = { reason: string; hopeless: boolean } | undefined;

export interface SendOptions {
  rules: WebhookRules;
  /** The URL of the service's own API. Undefined if this process does not know it. */
  ownUrl: string | undefined;
  /** The headers with the credentials for the service's own API. No other receiver gets these headers. */
  ownHeaders?: Record<string, string>;
  signal: AbortSignal;
  resolver?: Resolver;
}

/** Resolves a host name to its IPv4 and IPv6 addresses. */
export interface Resolver {
  resolve4(host: string): Promise<string[]>;
  resolve6(host: string): Promise<string[]>;
}

class InsideError extends Error {}

/** Makes one delivery. Does not follow redirects, because only the given URL was checked. Reads only the status of the response. */
export async function sendWebhook(receiver: string, message: Message, options: SendOptions): Promise<Failure> {
  const { rules, ownUrl } = options;
  const objection = objectionTo(receiver, rules);
  if (objection) return { reason: `The URL ${objection}.`, hopeless: true };
  if (isPath(receiver) && !ownUrl)
    return { reason: "ENSEMBLE_URL is not set, so this worker knows no app to send a path to.", hopeless: false };
  try {
    const own = isPath(receiver);
    const url = new URL(own ? `${ownUrl?.replace(/\/$/, "")}${receiver}` : receiver);
    return outcomeOf(await post(url, message, options, own));
  } catch (error) {
    return { reason: describe(error, options.signal), hopeless: error instanceof InsideError };
  }
}

function outcomeOf({ statusCode = 0 }: IncomingMessage): Failure {
  if (statusCode >= 200 && statusCode < 300) return undefined;
  if (statusCode === 410) return { reason: "The receiver answered 410, so nothing more is sent.", hopeless: true };
  const redirect = statusCode >= 300 && statusCode < 400 ? "; redirects are not followed" : "";
  return { reason: `The receiver answered ${statusCode}${redirect}.`, hopeless: false };
}

/** The time that the response's body may take to end after its status was read, in milliseconds. */
const lingerMs = 1_000;

function post(
  url: URL,
  { headers, body }: Message,
  { rules, signal, resolver, ownHeaders }: SendOptions,
  own: boolean,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const { request } = url.protocol === "https:" ? https : http;
  const trusted = own || isAllowedInside(url, rules);
  const call = request(url, {
    method: "POST",
    headers: { ...headers, ...(own && ownHeaders), "content-length": Buffer.byteLength(body) },
    agent: false,
    ...(!trusted && { lookup: lookupOutside(resolver ?? new dns.Resolver({ timeout: 2_000, tries: 2 })) }),
    signal,
  });
  call.on("error", reject);
  call.on("response", (response) => {
    resolve(response);
    response.on("error", () => {}).resume();
    setTimeout(() => response.destroy(), lingerMs).unref();
  });
  call.end(body);
  return promise;
}

/**
 * Returns a lookup function for connections. It refuses a host that has an address inside our own network. The connection then uses the
 * addresses that the function has checked, because a second lookup could return other addresses.
 *
 * The function asks name servers directly. The system's lookup would occupy one of the few threads of Node's thread pool, so a slow name
 * server would delay all deliveries.
 */
export function lookupOutside(resolver: Resolver): LookupFunction {
  const find = async (host: string): Promise<LookupAddress[]> => {
    const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const addresses = [
      ...(four.status === "fulfilled" ? four.value.map((address) => ({ address, family: 4 })) : []),
      ...(six.status === "fulfilled" ? six.value.map((address) => ({ address, family: 6 })) : []),
    ];
    if (addresses.some(({ address }) => isInside(address))) throw new InsideError(`The URL ${describeInside(host)}.`);
    if (addresses.length === 0) throw new Error(`No address was found for ${host}.`);
    return addresses;
  };
  return (host, { all }, callback) => {
    find(host).then(
      (addresses) => (all ? callback(null, addresses) : callback(null, addresses[0]?.address ?? "", addresses[0]?.family)),
      (error) => callback(error, []),
    );
  };
}

const maxReasonLength = 500;

function describe(error: unknown, signal: AbortSignal): string {
  if (signal.aborted)
    return signal.reason?.name === "TimeoutError" ? "The receiver did not answer in time." : "The delivery was interrupted.";
  const text =
    error instanceof AggregateError ? error.errors.map(String).join("; ") : error instanceof Error ? error.message : String(error);
  return text.replaceAll("\0", "").toWellFormed().slice(0, maxReasonLength);
}
