import type { Pool } from "pg";
import type { Logger } from "pino";
import type { Auth } from "../auth/auth.ts";
import type { Wakeups } from "../db/listen.ts";
import type { Cipher } from "../encryption/cipher.ts";
import type { EventFeed } from "../events/feed.ts";
import type { FeedbackTokens } from "../feedback/tokens.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Registry } from "../registry/registry.ts";
import type { ResourceLimit } from "../resources/limit.ts";
import type { RunWriter } from "../runs/run-writer.ts";
import type { StoreRules } from "../store/store-rules.ts";
import type { ThreadFeed } from "../streaming/thread-feed.ts";
import type { ThreadTtl } from "../threads/threads.ts";
import type { UiBundles } from "../ui/bundles.ts";
import type { Prices } from "../usage/prices.ts";
import type { WebhookRules } from "../webhooks/webhook-rules.ts";
import type { PickHeaders } from "./front/configurable-headers.ts";
import type { Memory } from "./memory.ts";
import type { ConsoleOptions } from "./routes/console.ts";

/** The dependencies of the routes. */
export interface ApiDeps {
  pool: Pool;
  wakeups: Wakeups;
  feed: EventFeed;
  threadFeed: ThreadFeed;
  registry: Registry;
  store: StoreRules;
  /**
   * Stores new runs for requests that create a single run. If several such requests arrive at the same time, one statement stores all of
   * their runs.
   */
  writer: RunWriter;
  log: Logger;
  metrics: Metrics;
  version: string;
  /**
   * The model that the graphs of this process call: the operator's endpoint or the rehearsal model. Null if this process executes no
   * graphs, because only the workers know their model.
   */
  model: "external" | "rehearsal" | null;
  webhookRules: WebhookRules;
  /** The resource limits from the project file, by the name of the resource. */
  limits: Record<string, ResourceLimit>;
  /** The prices that the project sets for models. */
  prices: Prices;
  feedback: FeedbackTokens;
  /** The encryption of stored values. Undefined if they are not encrypted. */
  cipher: Cipher | undefined;
  /** The memory budget that large requests and responses share. */
  memory: Memory;
  /** The UI components of the graphs. Undefined if no graph has UI components. */
  ui: UiBundles | undefined;
  /** The mode of the web console, and the folder of its built files. */
  console: ConsoleOptions;
  /** The auth of the service. Undefined if callers are not authenticated. */
  auth: Auth | undefined;
  settings: {
    /** The time to live of threads that have none of their own. Undefined if such threads never expire. */
    threadTtl: ThreadTtl | undefined;
    /** The path prefix of all routes, or an empty text. */
    mountedAt: string;
    /** The host names that the service accepts in the Host header, in addition to loopback names. */
    hosts: string[];
    /**
     * True if the service accepts only connections from this machine. This is the case if another HTTP server mounts the service, the
     * service has no auth, and the operator has not set ENSEMBLE_AUTH=none.
     */
    onlyLocal: boolean;
    bodyLimitBytes: number;
    maxWaiting: number;
    streams: number;
    streamsPerUser: number;
    streamsPerRun: number;
    requestTimeoutSeconds: number;
    stalledSeconds: number;
    recheckSeconds: number;
    /** A worker counts as alive for this number of seconds after its last heartbeat. */
    leaseSeconds: number;
    eventRetentionSeconds: number;
    resumableRetentionSeconds: number;
    /**
     * The path to a value in a run's configuration. If a run has no user, this value is its queue key, by which workers share their slots
     * among queues. Undefined if no path is configured.
     */
    queueKeyPath: readonly string[] | undefined;
    /** Returns those headers of a request that are stored in the configuration of the request's runs, where graphs can read them. */
    pickHeaders: PickHeaders;
    /** True if LangChain sends traces to LangSmith in this process. */
    langsmith: boolean;
    /** True if runs may have webhooks, which this service then sends. */
    sendsWebhooks: boolean;
  };
}
