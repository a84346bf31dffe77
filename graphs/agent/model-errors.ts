import type { ModelCall } from "./call-model.ts";
import { UnknownModel } from "./models.ts";
import type { Usage } from "./usage.ts";

const longestWaitMs = 20_000;

interface Failure {
  status?: "failed" | "timeout";
  isFatal?: boolean;
  attempts: number;
  usage: Usage;
}

/** The error of a call that got no usable answer. It carries the token usage of the failed requests, because they cost money too. */
export class NoAnswer extends Error {
  override name = "NoAnswerError";
  readonly status: "failed" | "timeout";
  readonly attempts: number;
  readonly usage: Usage;
  /** Whether a retry would fail in the same way. */
  readonly isFatal: boolean;

  constructor(message: string, { status = "failed", isFatal = false, attempts, usage }: Failure) {
    super(message);
    this.status = status;
    this.isFatal = isFatal;
    this.attempts = attempts;
    this.usage = usage;
  }
}

/** Tells whether the endpoint refused the request because it does not support `response_format`. */
export function refusesFormat(error: unknown): boolean {
  const { status } = Object(error);
  return (
    [400, 404, 415, 422, 501].includes(status) && /response_format|json_schema|structured output|response format/i.test(describe(error))
  );
}

/**
 * Tells whether a retry may help. A retry may help if the server was busy or the connection broke, but not if the request was bad. If
 * clients have already read the beginning of the answer, the call is not retried.
 */
export function mayRecover(error: unknown, { quiet }: ModelCall): boolean {
  if (isFatal(error)) return false;
  return typeof Object(error).status === "number" || quiet || /^connection error/i.test(Object(error).message);
}

/** Tells whether a retry would fail in the same way. */
export const isFatal = (error: unknown) => error instanceof UnknownModel || isRefusal(Object(error).status);

/** Tells whether a status means that the server will never accept this request, because the request, the key or the model is wrong. */
export const isRefusal = (status: unknown): boolean =>
  typeof status === "number" && status < 500 && status !== 408 && status !== 409 && status !== 429;

/** Returns the milliseconds to wait before a retry: the time that the server asks for, or else a time that doubles with each retry. */
export function waitBefore(error: unknown, attempt: number): number {
  const asked = Number(Object(error).headers?.get?.("retry-after"));
  return Math.min(asked > 0 ? asked * 1000 : 100 * 2 ** attempt, longestWaitMs);
}

/** Returns an error as a text for the ledger. */
export const describe = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
