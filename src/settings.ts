import { isAbsolute } from "node:path";
import { z } from "zod";

const port = z.coerce.number().int().min(0).max(65_535);
const positive = z.coerce.number().positive();
const count = z.coerce.number().int().positive();
const atLeastNone = z.coerce.number().min(0);

const GraphDefaults = z.record(
  z.string(),
  z.object({ context: z.record(z.string(), z.unknown()).optional(), configurable: z.record(z.string(), z.unknown()).optional() }).loose(),
);

function jsonText<Schema extends z.ZodType>(schema: Schema) {
  return z.string().transform((text, context): z.output<Schema> => {
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      context.addIssue({ code: "custom", message: "is not the JSON that is expected here" });
      return z.NEVER;
    }
  });
}

/** A variable with several values, which commas or white space separate. */
const list = z.string().transform((text) => text.split(/[\s,]+/).filter(Boolean));

/** A secret of the Standard Webhooks scheme: "whsec_" and 24 to 64 random bytes in base64. */
const WebhookSecret = z
  .string()
  .regex(/^whsec_(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, 'must be "whsec_" and base64')
  .transform((text) => Buffer.from(text.slice("whsec_".length), "base64"))
  .refine(({ length }) => length >= 24 && length <= 64, "must be 24 to 64 bytes long");

/** A key for AES encryption. As on the official server, the bytes of the variable's text are the key. */
const AesKey = z
  .string()
  .transform((text) => Buffer.from(text))
  .refine(({ length }) => [16, 24, 32].includes(length), "must be 16, 24 or 32 bytes long");

const HostPattern = z.string().regex(/^(?:(?:\*\.)?[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i, "must be host names, without http:// and paths");
const ServiceName = z.union([z.literal("*"), HostPattern]);

/** A host name or IP address as it is written in URLs. It includes the port, unless the port is the default of the protocol. */
const Host = z.string().regex(/^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i, "must be host names, with their port, without http:// and paths");
const Directories = z
  .string()
  .transform((text) =>
    text
      .split(",")
      .map((path) => path.trim())
      .filter(Boolean),
  )
  .pipe(z.array(z.string().refine(isAbsolute, "must be absolute paths")));

/** An entry for an API key: the owner's name and the SHA-256 hash of the key. The command `ensemble key` prints such entries. */
const ApiKeyEntry = z
  .string()
  .regex(/^[^:\s]+:[\da-f]{64}$/i, 'must be "<name>:<SHA-256 of the key in hex>"; `ensemble key <name>` makes one')
  .transform((entry) => {
    const colon = entry.indexOf(":");
    return { name: entry.slice(0, colon), hash: Buffer.from(entry.slice(colon + 1), "hex") };
  });

const serverSettings = {
  PORT: port
    .default(2024)
    .describe("Port of the API. 0 picks a free port. If PORT is unset and 2024 is taken, the service uses the next free port."),
  HOST: z.string().min(1).default("127.0.0.1").describe("Address the API listens on."),
  ENSEMBLE_HOSTS: list
    .pipe(z.array(ServiceName))
    .optional()
    .describe(
      "Host names that a service without auth accepts in the header Host: name, *.name, name:port, or * for any. localhost and IP addresses are always accepted.",
    ),
  ENSEMBLE_CONSOLE: z
    .enum(["off", "read-only", "on"])
    .optional()
    .describe(
      "Web console at /console: off, read-only or on. read-only hides its actions but forbids nothing: auth decides what a user may do. If unset, on. It is off with http.disable_meta, and without auth when HOST is not loopback.",
    ),
  ENSEMBLE_ROLE: z
    .enum(["all", "api", "worker"])
    .default("all")
    .describe("Parts of the service that this process runs: all, api or worker."),
  ENSEMBLE_CONFIG: z.string().min(1).default("./langgraph.json").describe("Path of the project file that lists the graphs."),
  ENSEMBLE_DATA_DIR: z
    .string()
    .min(1)
    .default(".ensemble")
    .describe("Directory of the embedded Postgres. Commands find the running service through it."),
  ENSEMBLE_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      "URL of the service. Terminal commands call this URL, and workers call it for webhooks that are paths. If unset, commands call the running service of the project.",
    ),
};

const limitSettings = {
  ENSEMBLE_BODY_LIMIT_MB: positive.default(50).describe("Largest request body, in MB."),
  ENSEMBLE_REQUEST_TIMEOUT_SECS: positive
    .max(86_400)
    .default(30)
    .describe("Seconds within which a whole request, including its body, must arrive. A slower request gets 408."),
  ENSEMBLE_MAX_WAITING: count
    .default(1_000)
    .describe("Maximum number of requests that may wait for the database. The service answers further requests with 429."),
};

const authSettings = {
  ENSEMBLE_API_KEYS: list
    .pipe(z.array(ApiKeyEntry).min(1))
    .optional()
    .describe("Names and hashes of API keys, as `ensemble key <name>` prints them. Each key grants full access."),
  ENSEMBLE_API_KEY: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Key or token that this process sends to the service. Terminal commands use it, and workers use it for webhooks that are paths.",
    ),
  ENSEMBLE_JWT_JWKS_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("URL of the keys that verify users' tokens. A user with a token sees only their own data."),
  ENSEMBLE_JWT_SECRET: z.string().min(32).optional().describe("Secret that verifies users' tokens, shared with the issuer."),
  ENSEMBLE_JWT_ISSUER: z.string().min(1).optional().describe("Required issuer of a token (iss)."),
  ENSEMBLE_JWT_AUDIENCE: z.string().min(1).optional().describe("Required audience of a token (aud)."),
  ENSEMBLE_AUTH: z
    .literal("none")
    .optional()
    .describe("none: every client that can reach the service has full access. Required if HOST is not loopback and no other auth is set."),
  ENSEMBLE_AUTH_RECHECK_SECS: positive
    .min(1)
    .max(86_400)
    .default(60)
    .describe("Seconds between two auth checks of an open stream. If auth refuses the client, the stream is closed."),
};

const databaseSettings = {
  DATABASE_URL: z
    .string()
    .optional()
    .describe("Address of the Postgres server (also DATABASE_URI, POSTGRES_URI). If unset, an embedded Postgres starts."),
  DATABASE_DIRECT_URL: z
    .string()
    .optional()
    .describe(
      "Address of the same server without the transaction pooler (PgBouncer). Migrations, LISTEN and session locks use this address.",
    ),
  DATABASE_POOL_SIZE: count.max(1_000).default(10).describe("Connections in this process's pool."),
  DATABASE_PREPARED_STATEMENTS: z
    .enum(["on", "off"])
    .optional()
    .describe(
      "on: the service prepares frequent statements. off: it prepares none. If unset, it is off if DATABASE_DIRECT_URL is set, and on otherwise.",
    ),
  DATABASE_QUERY_TIMEOUT_SECS: positive
    .default(60)
    .describe("Seconds that a statement may take. A slower statement fails, and its connection is closed."),
  ENSEMBLE_DATABASE_WAIT_SECS: atLeastNone
    .default(60)
    .describe("Seconds that the service waits at startup for a database that does not answer."),
};

const encryptionSettings = {
  LANGGRAPH_AES_KEY: AesKey.optional().describe(
    "Key that encrypts stored values with AES-GCM: a text of 16, 24 or 32 bytes. If encryption.path is set in langgraph.json, it only decrypts.",
  ),
  LANGGRAPH_AES_FALLBACK_KEYS: z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(AesKey))
    .optional()
    .describe("Further keys that only decrypt, separated by commas: the old keys after a rotation, and the next key before one."),
  LANGGRAPH_AES_JSON_KEYS: list
    .pipe(z.array(z.string()))
    .optional()
    .describe("Keys of metadata whose values are encrypted too. Searches do not find them. All other metadata stays readable."),
  ENSEMBLE_ENCRYPTION_TIMEOUT_SECS: positive
    .default(10)
    .describe("Seconds that a call of your encryption handlers may take. After that, the request or the attempt of the run fails."),
};

const runSettings = {
  N_JOBS_PER_WORKER: count.default(10).describe("Runs that a worker executes at once."),
  ENSEMBLE_LEASE_SECS: positive
    .min(1)
    .default(15)
    .describe("Seconds without a heartbeat after which a worker loses its lease. Other workers then take over its runs."),
  BG_JOB_MAX_RETRIES: count.default(3).describe("Number of worker crashes without progress after which a run ends with an error."),
  BG_JOB_TIMEOUT_SECS: positive
    .default(3_600)
    .describe("Seconds that a run may take. A run that takes longer ends with the status timeout."),
  WORKER_DRAIN_TIMEOUT: atLeastNone.default(30).describe("Seconds that running runs get at shutdown to reach their next step."),
  ENSEMBLE_ON_GRAPH_CHANGE: z
    .enum(["continue", "refuse"])
    .default("continue")
    .describe(
      "continue: an open run whose graph has changed continues on the new version. refuse: it ends with an error. A run whose next node no longer exists always ends with an error.",
    ),
  ENSEMBLE_GRAPH_WAIT_SECS: positive
    .optional()
    .describe(
      "Seconds that a run waits for a worker that has its graph. After that, the run ends with an error. If unset, the run waits without a limit.",
    ),
  LANGGRAPH_CONFIG: jsonText(GraphDefaults)
    .optional()
    .describe('Settings of the graphs\' default assistants: {"<graph>": {"context": …, "configurable": …}}.'),
};

const streamSettings = {
  ENSEMBLE_STREAMS: count
    .default(10_000)
    .describe(
      "Maximum number of streams, sockets and waiting requests that this process keeps open. The service answers further requests with 429.",
    ),
  ENSEMBLE_STREAMS_PER_USER: count
    .default(5_000)
    .describe("Maximum number of streams, sockets and waiting requests that one user may have open, if auth is set."),
  ENSEMBLE_STREAMS_PER_RUN: count
    .default(1_000)
    .describe("Maximum number of clients that may follow or wait for one run, or follow one thread, through this process."),
  ENSEMBLE_STALLED_CLIENT_SECS: positive
    .default(60)
    .describe("Seconds after which the service cuts off a client that reads nothing. The client may reconnect and continue."),
};

const retentionSettings = {
  ENSEMBLE_EVENT_RETENTION_SECS: atLeastNone.default(120).describe("Seconds that a run's events are kept after its end."),
  ENSEMBLE_RESUMABLE_RETENTION_SECS: atLeastNone
    .default(86_400)
    .describe("Seconds that events of runs with stream_resumable are kept after their end."),
  ENSEMBLE_THREAD_TTL_MINUTES: positive
    .max(52_560_000)
    .optional()
    .describe(
      "Minutes after which an unused thread is deleted (also checkpointer.ttl in langgraph.json). If unset, threads are never deleted.",
    ),
  ENSEMBLE_KEEP_CHECKPOINTS: count
    .optional()
    .describe("Number of checkpoints that a thread keeps when its run has ended. If unset, it keeps all checkpoints."),
  ENSEMBLE_DEAD_LETTER_DAYS: positive
    .max(36_500)
    .default(30)
    .describe("Days that a dead letter is kept after its last change. A letter that is being redriven is kept."),
  ENSEMBLE_USAGE_DAYS: positive.max(36_500).default(400).describe("Days that the daily usage of models is kept."),
  ENSEMBLE_PLAN_DAYS: positive.max(36_500).default(30).describe("Days that a plan is kept after its last change."),
  ENSEMBLE_FEEDBACK_DAYS: positive
    .max(36_500)
    .default(30)
    .describe("Days that feedback about a stateless run is kept after its last change. Other feedback is deleted with its run."),
};

const feedbackSettings = {
  ENSEMBLE_FEEDBACK_SECRET: list
    .pipe(z.array(z.string().min(32)).min(1))
    .optional()
    .describe(
      "Secret of at least 32 characters that signs feedback URLs. To rotate the secret, list the new one and then the old one. If unset, the service creates a secret in the database.",
    ),
  ENSEMBLE_FEEDBACK_URL_HOURS: positive.max(87_600).default(3).describe("Hours that a feedback URL is valid."),
};

const webhookSettings = {
  ENSEMBLE_WEBHOOK_SECRET: list
    .pipe(z.array(WebhookSecret).min(1))
    .optional()
    .describe(
      "Secret that signs webhooks: whsec_ and 24 to 64 bytes in base64. To rotate the secret, list the old and the new one. If unset, webhooks are not signed.",
    ),
  ENSEMBLE_WEBHOOK_INSIDE_HOSTS: list
    .pipe(z.array(HostPattern))
    .optional()
    .describe(
      "Hosts (name, *.name, name:port) of your own network that webhooks may call, also over http. If unset, webhooks may call no such host.",
    ),
};

const patternSettings = {
  OPENAI_API_KEY: z
    .string()
    .optional()
    .describe("Key of the model endpoint, read by @langchain/openai. If this and OPENAI_BASE_URL are unset, the rehearsal model answers."),
  OPENAI_BASE_URL: z.string().optional().describe("URL of an OpenAI-compatible endpoint, read by @langchain/openai."),
  ENSEMBLE_MODEL: z.string().min(1).default("gpt-5-mini").describe("Default model of the built-in graphs."),
  ENSEMBLE_PATTERN_HOSTS: list
    .pipe(z.array(Host))
    .optional()
    .describe(
      "Hosts (name:port) of your own network, or of this machine, that the patterns' tools may call. If unset, they may call no such host.",
    ),
  ENSEMBLE_PATTERN_DIRECTORIES: Directories.optional().describe(
    "Directories of this machine that the patterns may read, separated by commas. If unset, they may read no directory.",
  ),
};

const observabilitySettings = {
  LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"])
    .default("info")
    .describe("Lowest level that is logged: trace, debug, info, warn, error, fatal or silent."),
  ENSEMBLE_METRICS_PORT: port
    .optional()
    .describe(
      "Port of a second listener, which serves /metrics without auth. Set it to scrape a worker, or to scrape without credentials. If unset, only the API serves /metrics.",
    ),
  ENSEMBLE_METRICS_HOST: z.string().min(1).default("127.0.0.1").describe("Address that ENSEMBLE_METRICS_PORT listens on."),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .string()
    .optional()
    .describe(
      "URL of the collector that receives spans of runs (OTLP over http). Without an endpoint and without an exporter, there is no tracing.",
    ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z
    .string()
    .optional()
    .describe("URL of the collector for traces, with its whole path. It takes precedence over OTEL_EXPORTER_OTLP_ENDPOINT."),
  OTEL_TRACES_EXPORTER: z
    .string()
    .optional()
    .describe("Exporter of spans: otlp, console or none. If an endpoint is set, the default is otlp."),
  OTEL_EXPORTER_OTLP_PROTOCOL: z.string().default("http/protobuf").describe("Protocol of the exporter: http/protobuf or http/json."),
  OTEL_TRACES_SAMPLER: z
    .string()
    .default("parentbased_always_on")
    .describe(
      "Sampler that chooses the runs to trace: always_on, always_off or traceidratio, each optionally with the prefix parentbased_.",
    ),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1).describe("Share of runs that traceidratio traces, from 0 to 1."),
  OTEL_BSP_SCHEDULE_DELAY: atLeastNone.default(5_000).describe("Milliseconds for which spans are collected before they are sent."),
  OTEL_SDK_DISABLED: z.string().optional().describe("true: the service sends no traces, regardless of other settings."),
  OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: z
    .string()
    .optional()
    .describe("true: spans contain prompts, answers and tool calls."),
  LANGSMITH_TRACING: z
    .string()
    .optional()
    .describe("true: LangChain sends traces to LangSmith (also LANGSMITH_TRACING_V2, LANGCHAIN_TRACING, LANGCHAIN_TRACING_V2)."),
};

/** The settings by topic. Topics and settings are in the order in which the documentation shows them. */
export const settingTopics = {
  Server: serverSettings,
  Auth: authSettings,
  Database: databaseSettings,
  Encryption: encryptionSettings,
  "Runs and workers": runSettings,
  Streams: streamSettings,
  Limits: limitSettings,
  Retention: retentionSettings,
  Webhooks: webhookSettings,
  Feedback: feedbackSettings,
  "Models and patterns": patternSettings,
  Observability: observabilitySettings,
};

/**
 * All variables that the service reads, with their defaults and purposes. `ensemble config` and docs/reference/configuration.md are
 * generated from these schemas.
 */
export const settings = {
  ...serverSettings,
  ...authSettings,
  ...databaseSettings,
  ...encryptionSettings,
  ...runSettings,
  ...streamSettings,
  ...limitSettings,
  ...retentionSettings,
  ...webhookSettings,
  ...feedbackSettings,
  ...patternSettings,
  ...observabilitySettings,
};

/** The schema of the environment. It validates all variables together. */
export const Settings = z.object(settings);

/** Tells whether a variable's value may contain a secret. For example, a URL may contain a password. */
export const mayHoldSecret = (name: string): boolean => /KEY|URL|URI|SECRET|ENDPOINT|^LANGGRAPH_CONFIG$/.test(name);

/** Returns the first sentence of a variable's description, for an error that names the variable. */
export function describeSetting(name: string): string {
  const description = name in settings ? settings[name as keyof typeof settings].description : undefined;
  return description?.split(/\.(?: |$)/)[0] ?? name;
}
