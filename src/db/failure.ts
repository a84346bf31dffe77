import { setTimeout as sleep } from "node:timers/promises";
import { Refused } from "./refused.ts";

/** SQLSTATE classes that say something of the server's health and nothing of the statement. */
const serverTrouble = ["08", "25", "40", "53", "57", "58", "XX"];

/** Whether a statement failed because the database could not be reached or could not do it now, so that it may work later. */
export function isDatabaseTrouble(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof Refused) return false;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code === undefined) return /connection|timeout|terminat/i.test(error.message); // pg's own client errors carry no code
  if (/^[0-9A-Z]{5}$/.test(code)) return serverTrouble.includes(code.slice(0, 2));
  return /^(E[A-Z]+|EAI_AGAIN)$/.test(code); // ECONNREFUSED, EAI_AGAIN and their relatives
}

interface Patience {
  seconds: number;
  /** Called once, at the first failure, if there is time left. */
  onWaiting: (error: Error) => void;
  /** Ends the waiting. */
  signal?: AbortSignal | undefined;
}

/** Does the work, and again while the database cannot be reached and there is time left. Then it throws what the last try threw. */
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

/** Whether a statement may have been carried out though it failed: the line broke before the answer came, or the server cut it. */
export function isOutcomeUnknown(error: Error): boolean {
  if (!isDatabaseTrouble(error)) return false;
  if (!("code" in error)) return !connectTimeout.test(error.message);
  const code = String(error.code);
  return /^[0-9A-Z]{5}$/.test(code) ? /^(08|57P)/.test(code) : !notConnected.includes(code);
}

const retryMs = 250;

/** Does the work as soon as the database answers, however long that takes: for what must reach it. */
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
