import { randomUUID } from "node:crypto";
import { Client } from "@langchain/langgraph-sdk";
import { z } from "zod";
import { keyHeaders } from "../../auth/keys.ts";
import { ownAddress, type ServiceAddress } from "../address.ts";
import type { Given } from "../arguments.ts";
import { readEnvironment } from "../environment.ts";

export interface Connection {
  url: string;
  client: Client;
}

const patienceMs = 30_000;
const helloMs = 5_000;

/** The service's address, the source of that address, and the credentials to send. */
export interface Address {
  url: string;
  saidBy: ServiceAddress["saidBy"] | "name";
  headers: Record<string, string>;
}

export async function findAddress({ texts }: Given): Promise<Address> {
  const config = await readEnvironment();
  if (texts.url !== undefined && !z.url({ protocol: /^https?$/ }).safeParse(texts.url).success)
    throw new Error(`--url is "${texts.url}"; it should be like http://127.0.0.1:2024.`);
  const given = texts.url ?? config.serviceUrl;
  const headers = keyHeaders(config.ownKey);
  if (given !== undefined) return { url: given.replace(/\/+$/, ""), saidBy: "name", headers };
  return { ...(await ownAddress(config)), headers };
}

/** Does something with the service that is running. One that does not answer, or says no, is one sentence. */
export async function withService<T>(given: Given, work: (connection: Connection) => Promise<T>): Promise<T> {
  const address = await findAddress(given);
  const trouble = await findTrouble(address);
  const unsaid = address.saidBy === "nobody" ? "No service of this directory runs. " : "";
  if (trouble) throw new Error(`${unsaid}${trouble}`);
  if (unsaid) console.error(`${unsaid}Using the one at ${address.url}.`); // perhaps another project's
  return work(openClient(address)).catch(explainAnswer(address.url));
}

/** The official client. Its repeated requests make one run, however many of them arrive. */
export function openClient({ url, headers: defaultHeaders }: Omit<Address, "saidBy">): Connection {
  const onRequest = (_url: URL, init: RequestInit) => {
    if (init.method !== "POST") return init;
    return { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), "idempotency-key": randomUUID() } };
  };
  return { url, client: new Client({ apiUrl: url, timeoutMs: patienceMs, onRequest, defaultHeaders }) };
}

/** Why there is no service at an address; undefined when there is one. */
export async function findTrouble({ url, headers }: Address): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/ok`, { headers, signal: AbortSignal.timeout(helloMs) });
    if (response.status === 401) return `The service at ${url} wants to know who you are: set ENSEMBLE_API_KEY to a key of yours.`;
    const answer = z.object({ ok: z.literal(true) }).safeParse(await response.json().catch(() => undefined));
    return answer.success ? undefined : `What answers at ${url} is no such service (${response.status} at /ok).`;
  } catch (error) {
    return `No service answers at ${url} (${reasonOf(error)}). Start one with \`ensemble start\`, or name another with --url.`;
  }
}

const Info = z.object({ halted: z.literal(true) });

/** Whether work is halted there. A server that knows no such thing is at work. */
export async function isHalted(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/info`, { signal: AbortSignal.timeout(helloMs) }).then((response) => response.json());
  return Info.safeParse(answer).success;
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error) return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
  return String(cause);
}

/** What the client throws when the service says no. */
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
      throw new Error(`The service at ${url} cannot be reached any more; what runs there goes on.`);
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
