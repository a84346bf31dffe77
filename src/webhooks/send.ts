import { promises as dns, type LookupAddress } from "node:dns";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import type { LookupFunction } from "node:net";
import { isInside } from "./inside.ts";
import type { Message } from "./message.ts";
import { describeInside, isAllowedInside, isPath, objectionTo, type WebhookRules } from "./rules.ts";

/** How a delivery came out: undefined when it has arrived. Hopeless: to try again is no use. */
export type Failure = { reason: string; hopeless: boolean } | undefined;

export interface SendOptions {
  rules: WebhookRules;
  /** Where our own app answers, as far as this process knows. */
  ownUrl: string | undefined;
  /** What our own app is shown, so that it knows us; nobody else gets it. */
  ownHeaders?: Record<string, string>;
  signal: AbortSignal;
  resolver?: Resolver;
}

/** What asks for addresses. */
export interface Resolver {
  resolve4(host: string): Promise<string[]>;
  resolve6(host: string): Promise<string[]>;
}

class InsideError extends Error {}

/**
 * Makes one delivery. Redirects are not followed: what a receiver is allowed to be was decided about the address it was given by. What
 * comes back is not read, but for its status.
 */
export async function sendWebhook(receiver: string, message: Message, options: SendOptions): Promise<Failure> {
  const { rules, ownUrl } = options;
  const objection = objectionTo(receiver, rules);
  if (objection) return { reason: `The URL ${objection}.`, hopeless: true };
  if (isPath(receiver) && !ownUrl)
    return { reason: "ENSEMBLE_URL is not set, so this worker knows no app to send a path to.", hopeless: false };
  try {
    const own = isPath(receiver);
    const url = new URL(own ? `${ownUrl?.replace(/\/$/, "")}${receiver}` : receiver);
    return judge(await post(url, message, options, own));
  } catch (error) {
    return { reason: describe(error, options.signal), hopeless: error instanceof InsideError };
  }
}

function judge({ statusCode = 0 }: IncomingMessage): Failure {
  if (statusCode >= 200 && statusCode < 300) return undefined;
  if (statusCode === 410) return { reason: "The receiver answered 410: it wants no more.", hopeless: true };
  const redirect = statusCode >= 300 && statusCode < 400 ? "; redirects are not followed" : "";
  return { reason: `The receiver answered ${statusCode}${redirect}.`, hopeless: false };
}

/** How long an answer may take to end that is not looked at. */
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
 * Finds a receiver's addresses and refuses it if one is inside. The connection is made to what was looked at here, so that no second
 * answer can lead elsewhere. It asks the name servers itself: the system's own way holds one of the process's few threads meanwhile, and
 * a receiver whose name server hangs would hold up everyone's.
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

const longestReason = 500;

function describe(error: unknown, signal: AbortSignal): string {
  if (signal.aborted)
    return signal.reason?.name === "TimeoutError" ? "The receiver did not answer in time." : "The delivery was cut short.";
  const text =
    error instanceof AggregateError ? error.errors.map(String).join("; ") : error instanceof Error ? error.message : String(error);
  return text.replaceAll("\0", "").toWellFormed().slice(0, longestReason);
}
