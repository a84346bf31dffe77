import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { Counter, Gauge, type Registry } from "prom-client";

/**
 * Registers the metrics of the process, under the names that common dashboards use. prom-client's own process metrics are not used, because
 * they allow only one registry per process and cannot be stopped.
 */
export function processMetrics(registry: Registry): { stop(): void } {
  const registers = [registry];
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();

  const rising = (name: string, help: string, total: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(total());
      },
    });
  const now = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });

  rising("process_cpu_user_seconds_total", "User CPU time spent", () => process.cpuUsage().user / 1e6);
  rising("process_cpu_system_seconds_total", "System CPU time spent", () => process.cpuUsage().system / 1e6);
  rising("process_cpu_seconds_total", "CPU time spent", () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6);
  now("process_start_time_seconds", "When the process started, since the epoch", () => performance.timeOrigin / 1000);
  now("process_resident_memory_bytes", "Resident memory", () => process.memoryUsage.rss());
  now("nodejs_heap_size_used_bytes", "Heap that is used", () => process.memoryUsage().heapUsed);
  now("nodejs_heap_size_total_bytes", "Heap that is reserved", () => process.memoryUsage().heapTotal);
  now("nodejs_external_memory_bytes", "Memory outside the heap", () => process.memoryUsage().external);
  now("nodejs_eventloop_lag_mean_seconds", "Mean delay of the event loop since the last look", () => seconds(delay.mean));
  now("nodejs_eventloop_lag_p99_seconds", "99th percentile of the event loop's delay since the last look", () => {
    const p99 = seconds(delay.percentile(99));
    delay.reset(); // this gauge is read last, so the measurement starts again here
    return p99;
  });
  return { stop: () => void delay.disable() };
}

/** Converts nanoseconds to seconds. Returns 0 for NaN, which means that nothing has been measured yet. */
const seconds = (nanoseconds: number) => (Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : 0);
