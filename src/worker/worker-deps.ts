import type { Pool } from "pg";
import type { Logger } from "pino";
import type { Wakeups } from "../db/listen.ts";
import type { EventFeed } from "../events/feed.ts";
import type { WorkMetrics } from "../metrics/work.ts";
import type { Registry } from "../registry/registry.ts";
import type { ResourceBroker } from "../resources/broker.ts";
import type { StoreRules } from "../store/store-rules.ts";
import type { Tracing } from "../tracing/tracing.ts";
import type { EndRun } from "./ends.ts";
import type { Statistics } from "./statistics.ts";
import type { StoreStep } from "./steps.ts";

/** The parts of the process that workers and their attempts use. */
export interface WorkerDeps {
  pool: Pool;
  wakeups: Wakeups;
  feed: EventFeed;
  registry: Registry;
  store: StoreRules;
  log: Logger;
  metrics: WorkMetrics;
  /** Undefined if the operator has not turned on tracing. */
  tracing: Tracing | undefined;
}

/** The parts that attempts use: those of the worker, and the writers that its attempts share. */
export interface AttemptDeps extends WorkerDeps {
  /** The worker's fields in the timelines of its runs. */
  identity: { worker: string; host: string; pid: number; version: string };
  storeStep: StoreStep;
  /** Gets shared resources for the nodes of the attempts. */
  broker: ResourceBroker;
  endRun: EndRun;
  statistics: Statistics;
}
