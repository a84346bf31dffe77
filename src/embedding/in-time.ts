/**
 * Waits until the service has started. If the start takes almost as long as Fastify's `pluginTimeout` allows, calls `giveUp` and throws an
 * error that says how to raise this timeout. Otherwise, Fastify would throw its own error a moment later, which does not say that.
 */
export async function inTime<Started>(starting: Promise<Started>, pluginTimeout: number, giveUp: () => unknown): Promise<Started> {
  if (pluginTimeout <= 0) return starting;
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => {
      late.reject(
        new Error(
          `Ensemble has not started within ${pluginTimeout} ms, the pluginTimeout of this Fastify app. Give it more time: Fastify({ pluginTimeout: 120_000 }).`,
        ),
      );
      giveUp();
    },
    Math.max(pluginTimeout - 500, pluginTimeout / 2),
  );
  return Promise.race([starting, late.promise]).finally(() => clearTimeout(timer));
}
