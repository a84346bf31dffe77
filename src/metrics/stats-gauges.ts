import { Gauge, type Registry } from "prom-client";
import type { Alert } from "../stats/alerts.ts";

/** Registers the gauges of alerts and dead letters. Returns the gauges, and a function that shows new values. */
export function statsMetrics(registry: Registry): {
  gauges: Gauge[];
  show(alerts: Alert[], letters: { kind: string; letters: number }[]): void;
} {
  const alert = new Gauge({
    name: "ensemble_alert",
    help: "Whether the last run of a graph has crossed a threshold of its context",
    labelNames: ["graph", "alert"],
    registers: [registry],
  });
  const dead = new Gauge({
    name: "ensemble_dead_letters",
    help: "Dead letters that wait for a person, by kind, up to 100,000 in all",
    labelNames: ["kind"],
    registers: [registry],
  });
  return {
    gauges: [alert, dead],
    show(alerts, letters) {
      for (const { graph, alert: name, active } of alerts) alert.set({ graph, alert: name }, Number(active));
      for (const { kind, letters: count } of letters) dead.set({ kind }, count);
    },
  };
}
