import type { Logger } from "pino";

/** The functions that stop the parts of the service. When the service stops, the function that was added last is called first. */
export type Closers = (() => unknown)[];

export async function closeAll(closers: Closers, log: Logger): Promise<void> {
  for (let close = closers.pop(); close; close = closers.pop()) {
    await (async () => close())().catch((err) => log.error({ err }, "failed to close a part of the service"));
  }
}
