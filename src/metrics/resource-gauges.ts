import { Gauge, type Registry } from "prom-client";
import type { ListedResource } from "../resources/resources.ts";

/** Registers the metrics of the resources that runs share. Returns the gauges, and a function that sets their values. */
export function resourceMetrics(registry: Registry): { gauges: Gauge[]; show(resources: ListedResource[]): void } {
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `ensemble_resource_${name}`, help, labelNames: ["resource"], registers: [registry] });
  const capacity = gauge("capacity", "Units of a pool, or tokens of a full rate");
  const held = gauge("held", "Units of a resource that running nodes have");
  const waiting = gauge("waiting", "Requests that wait for a resource");
  const contention = gauge("contention", "Requests that had to wait for a resource since it exists");
  return {
    gauges: [capacity, held, waiting, contention],
    show(resources) {
      for (const { name: resource, ...usage } of resources) {
        capacity.set({ resource }, usage.capacity);
        held.set({ resource }, usage.held);
        waiting.set({ resource }, usage.waiting);
        contention.set({ resource }, usage.contention);
      }
    },
  };
}
