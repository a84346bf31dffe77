import { setTimeout as sleep } from "node:timers/promises";

/**
 * The error of a statement that the database will never accept because of its content. The statement failed in every try, although the
 * database ran a small statement after each failure.
 */
export class Refused extends Error {
  override name = "RefusedError";
}

const mostTries = 3;
const pauseMs = 500;

/**
 * Runs `work`, and retries it if the server lacked memory or time, or had an internal error. After each such failure, runs `probe`, which
 * sends a small statement. If `probe` fails too, the server is at fault, so the error of `work` is rethrown. After three failures of `work`
 * alone, throws `Refused`. Any other error of `work` is rethrown immediately.
 */
export async function unlessRefused<T>(work: (nth: number) => Promise<T>, probe: () => Promise<unknown>): Promise<T> {
  for (let nth = 1; ; nth++) {
    try {
      return await work(nth);
    } catch (error) {
      const isStatementAtFault =
        mayBeStatement(error) &&
        (await probe().then(
          () => true,
          () => false,
        ));
      if (!isStatementAtFault) throw error;
      if (nth === mostTries) throw new Refused(whatServerSays(error), { cause: error });
      await sleep(pauseMs * nth ** 2);
    }
  }
}

/** Returns the server's error message, followed by the error's code so that people can look it up. */
export function whatServerSays(error: Error): string {
  return error instanceof Refused || !("code" in error) ? error.message : `${error.message} (${error.code})`;
}

/** The message of pg's own error for a statement that exceeds `query_timeout`. */
const queryTimeout = "Query read timeout";

/**
 * Tells whether the content of the failed statement may have caused the error, for example because it was too large for the server's
 * memory. Returns false if the cause is certainly another one: a full disk (53100), too many connections (53300), a shutdown (57P…) or a
 * broken connection. Such causes must be excluded by their codes, because a small test statement may succeed in spite of them.
 */
function mayBeStatement(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if (!("code" in error)) return error.message === queryTimeout;
  return ["53000", "53200", "53400", "57014"].includes(String(error.code)) || /^XX...$/.test(String(error.code));
}
