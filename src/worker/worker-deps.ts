import type { Pool } from "pg";
import type { Logger } from "pino";
import type { Wakeups } from "../db/listen.ts";
import type { Cipher } from "../encryption/cipher.ts";
import type { EventFeed } from "../events/feed.ts";
import type { FeedbackTokens } from "../feedback/tokens.ts";
import type { WorkMetrics } from "../metrics/work.ts";
import type { Registry } from "../registry/registry.ts";
import type { ResourceBroker } from "../resources/broker.ts";
import type { StoreRules } from "../store/store-rules.ts";
import type { Tracing } from "../tracing/tracing.ts";
import type { Prices } from "../usage/prices.ts";
import type { EndRun } from "./ends.ts";
import type { Statistics } from "./statistics.ts";
import type { StoreStep } from "./steps.ts";
import type { UsageMeter } from "./usage-meter.ts";

/** The dependencies of workers and their attempts. */
export interface WorkerDeps {
  pool: Pool;
  wakeups: Wakeups;
  feed: EventFeed;
  registry: Registry;
  store: StoreRules;
  log: Logger;
  metrics: WorkMetrics;
  /** The tracing of runs. Undefined if the operator has not turned it on. */
  tracing: Tracing | undefined;
  /** The prices of models that the project sets. */
  prices: Prices;
  feedback: FeedbackTokens;
  /** The encryption of stored values. Undefined if they are not encrypted. */
  cipher: Cipher | undefined;
}

/** The dependencies of attempts: those of the worker, and the writers that its attempts share. */
export interface AttemptDeps extends WorkerDeps {
  /** The facts about the worker that the timelines of its runs show. */
  identity: { worker: string; host: string; pid: number; version: string };
  storeStep: StoreStep;
  /** Acquires shared resources for the nodes of the attempts. */
  broker: ResourceBroker;
  /** Stores the tokens and the cost of the attempts' model calls. */
  meter: UsageMeter;
  endRun: EndRun;
  statistics: Statistics;
}
