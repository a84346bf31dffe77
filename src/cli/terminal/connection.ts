import { randomUUID } from "node:crypto";
import { Client } from "@langchain/langgraph-sdk";
import { z } from "zod";
import { keyHeaders } from "../../auth/keys.ts";
import { readEnvironment } from "../../startup/environment.ts";
import { ownAddress, type ServiceAddress } from "../../startup/own-address.ts";
import type { Arguments } from "../arguments.ts";

export interface Connection {
  url: string;
  client: Client;
}

const timeoutMs = 30_000;
const helloMs = 5_000;

/** The service's URL, the source of the URL, and the headers with the user's credentials. */
export interface Address {
  url: string;
  source: ServiceAddress["source"] | "name";
  headers: Record<string, string>;
}

export async function findAddress({ texts }: Arguments): Promise<Address> {
  const config = await readEnvironment();
  if (texts.url !== undefined && !z.url({ protocol: /^https?$/ }).safeParse(texts.url).success)
    throw new Error(`--url is "${texts.url}"; it should be like http://127.0.0.1:2024.`);
  const configuredUrl = texts.url ?? config.serviceUrl;
  const headers = keyHeaders(config.ownKey);
  if (configuredUrl !== undefined) return { url: configuredUrl.replace(/\/+$/, ""), source: "name", headers };
  return { ...(await ownAddress(config)), headers };
}

/**
 * Calls `work` with a connection to the running service. If the service does not respond or refuses a request, throws an error whose
 * message tells the user the reason.
 */
export async function withService<T>(args: Arguments, work: (connection: Connection) => Promise<T>): Promise<T> {
  const address = await findAddress(args);
  const trouble = await findTrouble(address);
  const missing = address.source === "nobody" ? "No service of this directory runs. " : "";
  if (trouble) throw new Error(`${missing}${trouble}`);
  if (missing) console.error(`${missing}Using the one at ${address.url}.`); // the service at this URL may run another project
  return work(openClient(address)).catch(explainAnswer(address.url));
}

/** Opens the official client. All retries of a request have the same idempotency key, so that together they create only one run. */
export function openClient({ url, headers: defaultHeaders }: Omit<Address, "source">): Connection {
  const onRequest = (_url: URL, init: RequestInit) => {
    if (init.method !== "POST") return init;
    return { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), "idempotency-key": randomUUID() } };
  };
  return { url, client: new Client({ apiUrl: url, timeoutMs, onRequest, defaultHeaders }) };
}

/** Returns the reason why no service can be used at this URL, or undefined if the service there can be used. */
export async function findTrouble({ url, headers }: Address): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/ok`, { headers, signal: AbortSignal.timeout(helloMs) });
    if (response.status === 401) return `The service at ${url} requires a key: set ENSEMBLE_API_KEY to one of your keys.`;
    const answer = z.object({ ok: z.literal(true) }).safeParse(await response.json().catch(() => undefined));
    return answer.success ? undefined : `The server at ${url} is not an Ensemble service (${response.status} at /ok).`;
  } catch (error) {
    return `No service answers at ${url} (${reasonOf(error)}). Start one with \`ensemble start\`, or name another with --url.`;
  }
}

const Info = z.object({ halted: z.literal(true) });

/** Tells whether the service is halted. Returns false for a server that does not report this, such as the official one. */
export async function isHalted(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/info`, { signal: AbortSignal.timeout(helloMs) }).then((response) => response.json());
  return Info.safeParse(answer).success;
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error) return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
  return String(cause);
}

/** The schema of the error that the client throws when the service refuses a request. */
const Refusal = z.object({ status: z.number(), text: z.string() });
const Detail = z.object({ detail: z.union([z.string(), z.unknown().transform((detail) => JSON.stringify(detail))]) });

export function isNotFound(error: unknown): boolean {
  const refusal = Refusal.safeParse(error);
  return refusal.success && refusal.data.status === 404;
}

export const explainAnswer =
  (url: string) =>
  (error: unknown): never => {
    const refusal = Refusal.safeParse(error);
    if (refusal.success) throw new Error(`${sentenceOf(refusal.data.text)} (${url} answers ${refusal.data.status})`);
    if (error instanceof Error && (error.name === "ConnectionError" || error.name === "MaxReconnectAttemptsError"))
      throw new Error(`The service at ${url} cannot be reached any more. Its runs continue.`);
    if (error instanceof Error && error.name === "TimeoutError") throw new Error(`The service at ${url} did not answer within 30 s.`);
    throw error;
  };

function sentenceOf(body: string): string {
  try {
    const parsed = Detail.safeParse(JSON.parse(body));
    return parsed.success ? parsed.data.detail : body;
  } catch {
    return body;
  }
}
