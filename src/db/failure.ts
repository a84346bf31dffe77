import { setTimeout as sleep } from "node:timers/promises";
import { Refused } from "./refused.ts";

/** SQLSTATE classes that describe the server's health, not the statement. */
const serverTrouble = ["08", "25", "40", "53", "57", "58", "XX"];

/** Returns whether a statement failed because the database was unreachable or temporarily unable, so that a retry may succeed. */
export function isDatabaseTrouble(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof Refused) return false;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code === undefined) return /connection|timeout|terminat/i.test(error.message); // pg's own client errors carry no code
  if (/^[0-9A-Z]{5}$/.test(code)) return serverTrouble.includes(code.slice(0, 2));
  return /^(E[A-Z]+|EAI_AGAIN)$/.test(code); // network errors such as ECONNREFUSED
}

interface Patience {
  seconds: number;
  /** Called once, at the first failure, if there is time left. */
  onWaiting: (error: Error) => void;
  signal?: AbortSignal | undefined;
}

/** Retries the work while the database is unreachable and time is left. Then it throws the error of the last try. */
export async function onceDatabaseAnswers<T>(work: () => Promise<T>, { seconds, onWaiting, signal }: Patience): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await work();
    } catch (error) {
      if (!isDatabaseTrouble(error) || performance.now() + retryMs > deadline) throw error;
      if (isFirst) onWaiting(error as Error);
      await sleep(retryMs, undefined, { signal }).catch(() => {});
      if (signal?.aborted) throw new Error("Stopped while waiting for the database.", { cause: error });
    }
  }
}

/** Error codes of a connection that was never established. */
const notConnected = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];
const connectTimeout = /trying to connect|connection timeout/i;

/** Returns whether a failed statement may still have run: the connection broke before its result came, or the server closed it. */
export function isOutcomeUnknown(error: Error): boolean {
  if (!isDatabaseTrouble(error)) return false;
  if (!("code" in error)) return !connectTimeout.test(error.message);
  const code = String(error.code);
  return /^[0-9A-Z]{5}$/.test(code) ? /^(08|57P)/.test(code) : !notConnected.includes(code);
}

const retryMs = 250;

/** Retries the work until the database answers, without a time limit. For statements that must not be lost. */
export async function untilDatabaseAnswers<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isDatabaseTrouble(error)) throw error;
      await sleep(retryMs);
    }
  }
}
