import { Gauge, type Registry } from "prom-client";
import type { Limit } from "../runs/limits.ts";

/** Registers the metrics of the queue's limits. Returns the gauges, and a function that sets their values. */
export function limitMetrics(registry: Registry): { gauges: Gauge[]; show(limits: Limit[]): void } {
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `ensemble_limit_${name}`, help, labelNames: ["limit"], registers: [registry] });
  const total = gauge("total", "How many runs of a limit may run at once. Missing without a total");
  const running = gauge("running", "Running runs that a limit counts, up to 10,000");
  const waiting = gauge("waiting", "Due runs that a limit counts, up to 10,000");
  const refused = gauge(
    "refused",
    "How often runs of a full key had to wait, and budgets refused runs. In shadow, how often any run would have been held up or refused",
  );
  return {
    gauges: [total, running, waiting, refused],
    show(limits) {
      for (const { name: limit, ...values } of limits) {
        if (values.total !== null) total.set({ limit }, values.total);
        running.set({ limit }, values.running);
        waiting.set({ limit }, values.waiting);
        refused.set({ limit }, values.refused);
      }
    },
  };
}
