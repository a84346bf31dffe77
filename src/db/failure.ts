import { setTimeout as sleep } from "node:timers/promises";
import { Refused } from "./refused.ts";
import { SealingError } from "./sealable.ts";

/** The SQLSTATE classes of errors that come from the state of the server and not from the statement. */
const serverTrouble = ["08", "25", "40", "53", "57", "58", "XX"];

/** Tells whether a statement failed because the database was unreachable or temporarily unable to run it. A retry may then succeed. */
export function isDatabaseTrouble(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof Refused) return false;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code === undefined) return /connection|timeout|terminat/i.test(error.message); // errors from pg's own client have no code
  if (/^[0-9A-Z]{5}$/.test(code)) return serverTrouble.includes(code.slice(0, 2));
  return /^(E[A-Z]+|EAI_AGAIN)$/.test(code); // network errors such as ECONNREFUSED
}

/**
 * Tells whether a statement failed for a reason that affects all other statements, too. A value that cannot be encrypted or decrypted
 * affects only its own statement.
 */
export const concernsAllStatements = (error: unknown): boolean => isDatabaseTrouble(error) && !(error instanceof SealingError);

interface Patience {
  seconds: number;
  /** Called once, after the first failure, unless the time for retries is already over. */
  onWaiting: (error: Error) => void;
  signal?: AbortSignal | undefined;
}

/** Runs `work`, and retries it while the database is unreachable. When `seconds` seconds have passed, throws the error of the last try. */
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

/** The error codes of a connection that was never established. */
const notConnected = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];
const connectTimeout = /trying to connect|connection timeout/i;

/**
 * Tells whether a failed statement may have taken effect nevertheless. Returns true if the connection broke, or the server closed it,
 * before the result arrived. Returns false if the connection was never established, or if a value could not be encrypted.
 */
export function isOutcomeUnknown(error: Error): boolean {
  if (!concernsAllStatements(error)) return false;
  if (!("code" in error)) return !connectTimeout.test(error.message);
  const code = String(error.code);
  return /^[0-9A-Z]{5}$/.test(code) ? /^(08|57P)/.test(code) : !notConnected.includes(code);
}

const retryMs = 250;

/** Retries `work` until the database responds, without a time limit. Use it for statements that must not be lost. */
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
