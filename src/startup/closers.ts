import type { Logger } from "pino";

/** The functions to call when the service stops, in reverse order. */
export type Closers = (() => unknown)[];

export async function closeAll(closers: Closers, log: Logger): Promise<void> {
  for (let close = closers.pop(); close; close = closers.pop()) {
    await (async () => close())().catch((err) => log.error({ err }, "failed to close a part of the service"));
  }
}
