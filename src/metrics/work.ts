import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { type AgentMetrics, agentMetrics } from "./agents.ts";

/** Records what a worker does, as metrics. */
export interface WorkMetrics {
  claimed(run: { attempt: number; dueSeconds: number }): void;
  tookOver(runs: number): void;
  /**
   * Records how many threads a regular check (`repairHeads`) has repaired. Each thread marks the run that is next. In these threads, the
   * mark was missing or on the wrong run.
   */
  repairedHeads(threads: number): void;
  /**
   * Records that an attempt has ended. `seconds` is its duration. `outcome` is the run's status, or a word such as "released" if the run
   * continues.
   */
  ended(graphId: string, outcome: string, seconds: number): void;
  /** Records a number of stored events. `seconds` is the time that the first of them waited. */
  storedEvents(events: number, seconds: number): void;
  /** Records that a run got a resource. `seconds` is the time that the run's request waited. */
  servedResource(resource: string, seconds: number): void;
  endedDeadlock(): void;
  agents: AgentMetrics;
}

/** The buckets for durations, in seconds. They suit runs that take less than 50 milliseconds as well as runs that take an hour. */
const durations = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600];
const waits = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 900, 3_600];
const lags = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

export function workMetrics(registry: Registry, slots: number): WorkMetrics {
  const registers = [registry];
  const make = <Metric>(Kind: new (options: { name: string; help: string; registers: Registry[]; labelNames?: string[] }) => Metric) => {
    return (name: string, help: string, labelNames: string[] = []) => new Kind({ name: `ensemble_${name}`, help, labelNames, registers });
  };
  const counter = make(Counter);
  const gauge = make(Gauge);
  const histogram = (name: string, help: string, buckets: number[], labelNames: string[] = []) =>
    new Histogram({ name: `ensemble_${name}`, help, labelNames, buckets, registers });

  const claims = counter("claims_total", "Attempts of runs that this worker has begun");
  const takeovers = counter("takeovers_total", "Runs that this worker has taken over from lost workers");
  const repairs = counter("heads_repaired_total", "Threads whose next run this worker had to repair: always 0, unless there is a bug");
  const attempts = counter("attempts_ended_total", "Attempts of runs that ended on this worker", ["graph", "outcome"]);
  const events = counter("events_total", "Events that this worker has stored");
  const running = gauge("attempts_running", "Runs that this worker executes at the moment");
  gauge("slots", "Runs that this worker may execute at once").set(slots);
  const wait = histogram("run_wait_seconds", "From the time a run was due to its first attempt", waits);
  const length = histogram("attempt_seconds", "How long attempts took", durations, ["graph"]);
  const lag = histogram("event_lag_seconds", "From the time a graph emitted an event to the commit after which it is sent", lags);
  const resourceWait = histogram("resource_wait_seconds", "How long requests waited for a resource until they were served", waits, [
    "resource",
  ]);
  const deadlocks = counter("resource_deadlocks_total", "Deadlocks between requests for resources that this worker has ended");

  return {
    claimed({ attempt, dueSeconds }) {
      claims.inc();
      running.inc();
      if (attempt === 1) wait.observe(Math.max(0, dueSeconds));
    },
    tookOver: (runs) => takeovers.inc(runs),
    repairedHeads: (threads) => repairs.inc(threads),
    ended(graph, outcome, seconds) {
      running.dec();
      attempts.inc({ graph, outcome });
      length.observe({ graph }, seconds);
    },
    storedEvents(count, seconds) {
      events.inc(count);
      lag.observe(seconds);
    },
    servedResource: (resource, seconds) => resourceWait.observe({ resource }, seconds),
    endedDeadlock: () => deadlocks.inc(),
    agents: agentMetrics(registry),
  };
}
