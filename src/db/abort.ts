/**
 * Returns the promise's value, or undefined as soon as the signal aborts. Removes its listener from the signal, because a long-lived signal
 * would otherwise collect listeners. `AbortSignal.any` would be shorter, but it creates an error with a stack on every call.
 */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return undefined;
  const { promise: aborted, resolve } = Promise.withResolvers<undefined>();
  const onAbort = () => resolve(undefined);
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
