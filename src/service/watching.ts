import type { Pool } from "pg";
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import { listenForScrapers } from "../metrics/listener.ts";
import { startMetrics } from "../metrics/metrics.ts";
import { startTracing } from "../tracing/start.ts";
import { version } from "../version.ts";
import type { Closers } from "./closers.ts";

/** Starts the metrics and the tracing. */
export async function startWatching(config: Config, pool: Pool, log: Logger, closers: Closers) {
  const { poolSize, slots, leaseSeconds, role } = config;
  const metrics = startMetrics({ pool, poolSize, slots, leaseSeconds, version, role });
  closers.push(metrics.stop);
  const scraping = await listenForScrapers(metrics, config, log);
  if (scraping) closers.push(scraping.stop);
  const tracing = config.tracing && role !== "api" ? await startTracing({ ...config.tracing, log, version }) : undefined;
  if (tracing) closers.push(tracing.stop);
  return { metrics, metricsUrl: scraping?.url, tracing };
}
