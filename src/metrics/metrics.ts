import type { Pool } from "pg";
import { Gauge, Registry } from "prom-client";
import { databaseMetrics } from "./database.ts";
import { processMetrics } from "./process.ts";
import { type WorkMetrics, workMetrics } from "./work.ts";

/** The metrics of one service, for monitoring tools. */
export interface Metrics {
  work: WorkMetrics;
  /** Registers a gauge that shows the number of open event streams. */
  watchStreams(count: () => number): void;
  /** Returns the current values of all metrics, in the text format of Prometheus or as JSON. */
  read(format: "prometheus" | "json"): Promise<{ type: string; text: string }>;
  stop(): void;
}

export interface MetricsOptions {
  pool: Pool;
  poolSize: number;
  slots: number;
  leaseSeconds: number;
  version: string;
  role: string;
}

/** Starts the metrics of one service. Each service has a registry of its own, because a process may run several services. */
export function startMetrics({ pool, poolSize, slots, leaseSeconds, version, role }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const processValues = processMetrics(registry);
  const databaseValues = databaseMetrics(registry, pool, leaseSeconds);
  const work = workMetrics(registry, role === "api" ? 0 : slots);
  new Gauge({ name: "ensemble_info", help: "Version and role of this process", labelNames: ["version", "role"], registers }).set(
    { version, role },
    1,
  );
  new Gauge({
    name: "ensemble_pool_connections",
    help: "Connections of the pool by state, and requests that wait for one",
    labelNames: ["state"],
    registers,
    collect() {
      this.set({ state: "most" }, poolSize);
      this.set({ state: "busy" }, pool.totalCount - pool.idleCount);
      this.set({ state: "idle" }, pool.idleCount);
      this.set({ state: "waiting" }, pool.waitingCount);
    },
  });

  return {
    work,
    watchStreams(count) {
      const collect = function (this: Gauge) {
        this.set(count());
      };
      new Gauge({
        name: "ensemble_streams_open",
        help: "Streams, sockets and waiting requests that are open in this process",
        registers,
        collect,
      });
    },
    async read(format) {
      await databaseValues.refresh();
      if (format === "prometheus") return { type: registry.contentType, text: await registry.metrics() };
      return { type: "application/json; charset=utf-8", text: JSON.stringify(await registry.getMetricsAsJSON()) };
    },
    stop: processValues.stop,
  };
}
