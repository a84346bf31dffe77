import type { Pool } from "pg";
import type { Logger } from "pino";
import type { Auth } from "../auth/auth.ts";
import type { Wakeups } from "../db/listen.ts";
import type { EventFeed } from "../events/feed.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Registry } from "../registry/registry.ts";
import type { RunWriter } from "../runs/run-writer.ts";
import type { StoreRules } from "../store/rules.ts";
import type { ThreadFeed } from "../streaming/thread-feed.ts";
import type { UiBundles } from "../ui/bundles.ts";
import type { WebhookRules } from "../webhooks/rules.ts";
import type { PickHeaders } from "./front/configurable-headers.ts";
import type { Memory } from "./memory.ts";

/** What the routes need of the process. */
export interface ApiDeps {
  pool: Pool;
  wakeups: Wakeups;
  feed: EventFeed;
  threadFeed: ThreadFeed;
  registry: Registry;
  store: StoreRules;
  /** Shares statements among requests that each make one run. */
  writer: RunWriter;
  log: Logger;
  metrics: Metrics;
  version: string;
  /** Whom the graphs of this process ask: an endpoint of the operator's, or the rehearsal model. Null where no graph runs: workers may differ. */
  model: "external" | "rehearsal" | null;
  webhookRules: WebhookRules;
  /** The memory budget of large requests and answers. */
  memory: Memory;
  /** Components that graphs draw with; undefined where there are none. */
  ui: UiBundles | undefined;
  /** Undefined: nobody is asked who they are. */
  auth: Auth | undefined;
  settings: {
    /** Names that the service answers to beside loopback ones. */
    hosts: string[];
    bodyLimitBytes: number;
    maxWaiting: number;
    streams: number;
    streamsPerUser: number;
    streamsPerRun: number;
    requestTimeoutSeconds: number;
    stalledSeconds: number;
    recheckSeconds: number;
    eventRetentionSeconds: number;
    resumableRetentionSeconds: number;
    /** What a run sees of the request that asked for it. */
    pickHeaders: PickHeaders;
    /** Whether LangChain traces with LangSmith in this process. */
    langsmith: boolean;
    /** Whether runs may ask for a webhook at all. */
    sendsWebhooks: boolean;
  };
}
