import type { Logger } from "pino";

/** What is to be closed when the service stops, the last first. */
export type Closers = (() => unknown)[];

export async function closeAll(closers: Closers, log: Logger): Promise<void> {
  for (let close = closers.pop(); close; close = closers.pop()) {
    await (async () => close())().catch((err) => log.error({ err }, "could not be closed cleanly"));
  }
}
