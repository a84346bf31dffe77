import { setTimeout as sleep } from "node:timers/promises";

/** The database refused a statement for what is in it: it took a small one of the same kind, and trying again did not help. */
export class Refused extends Error {
  override name = "RefusedError";
}

const mostTries = 3;
const pauseMs = 500;

/**
 * Does the work. Tries again if the server lacked memory or time for it, or failed inside, and rejects with `Refused` after the third
 * time. Other errors, and those of a database that also fails the probe, pass through: they say nothing of the work.
 */
export async function unlessRefused<T>(work: (nth: number) => Promise<T>, probe: () => Promise<unknown>): Promise<T> {
  for (let nth = 1; ; nth++) {
    try {
      return await work(nth);
    } catch (error) {
      const isWell =
        isOfStatement(error) &&
        (await probe().then(
          () => true,
          () => false,
        ));
      if (!isWell) throw error;
      if (nth === mostTries) throw new Refused(whatServerSays(error), { cause: error });
      await sleep(pauseMs * nth ** 2);
    }
  }
}

/** Returns the server's own words, with the code by which they can be looked up. */
export function whatServerSays(error: Error): string {
  return error instanceof Refused || !("code" in error) ? error.message : `${error.message} (${error.code})`;
}

/** The message of pg's own error when a statement exceeds `query_timeout`. */
const tookTooLong = "Query read timeout";

/**
 * Whether the statement alone may be the cause. A full disk (53100), too many connections (53300), a server that shuts down (57P…) and a
 * broken line never are: something small may still get through there.
 */
function isOfStatement(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if (!("code" in error)) return error.message === tookTooLong;
  return ["53000", "53200", "53400", "57014"].includes(String(error.code)) || /^XX...$/.test(String(error.code));
}
