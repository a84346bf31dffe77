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

/** Several values in one variable, with commas or spaces between them. */
const list = z.string().transform((text) => text.split(/[\s,]+/).filter(Boolean));

/** After the Standard Webhooks scheme: "whsec_" and 24 to 64 random bytes in base64. */
const WebhookSecret = z
  .string()
  .regex(/^whsec_(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, 'must be "whsec_" and base64')
  .transform((text) => Buffer.from(text.slice("whsec_".length), "base64"))
  .refine(({ length }) => length >= 24 && length <= 64, "must be 24 to 64 bytes long");

const HostPattern = z.string().regex(/^(?:(?:\*\.)?[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i, "must be host names, without http:// and paths");
const ServiceName = z.union([z.literal("*"), HostPattern]);

/** A host as it stands in an address, with its port unless that is the usual one. */
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

/** A key's owner and the SHA-256 of the key, as `ensemble key` prints them. */
const ApiKeyEntry = z
  .string()
  .regex(/^[^:\s]+:[\da-f]{64}$/i, 'must be "<name>:<SHA-256 of the key in hex>"; `ensemble key <name>` makes one')
  .transform((entry) => {
    const colon = entry.indexOf(":");
    return { name: entry.slice(0, colon), hash: Buffer.from(entry.slice(colon + 1), "hex") };
  });

/** Every variable the service reads: its default and what it is for. `ensemble config` and the README's table are made from this. */
export const settings = {
  PORT: port.default(2024).describe("port of the API; 0 takes a free one; unset: the next free one when 2024 is taken"),
  HOST: z.string().min(1).default("127.0.0.1").describe("address the API listens on"),
  ENSEMBLE_HOSTS: list
    .pipe(z.array(ServiceName))
    .optional()
    .describe("names (name, *.name, name:port, * for any) under which a service without auth is called, beside localhost and addresses"),
  ENSEMBLE_API_KEYS: list
    .pipe(z.array(ApiKeyEntry).min(1))
    .optional()
    .describe("who may use the API: names and hashes of keys, as `ensemble key <name>` prints them; each may everything"),
  ENSEMBLE_API_KEY: z
    .string()
    .min(1)
    .optional()
    .describe("a key or token that the terminal's commands show the service, and workers with webhooks that are paths of its own"),
  ENSEMBLE_JWT_JWKS_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("users of the API prove themselves by tokens signed with one of these keys; each sees what is their own"),
  ENSEMBLE_JWT_SECRET: z.string().min(32).optional().describe("the same with a secret that is shared with the issuer"),
  ENSEMBLE_JWT_ISSUER: z.string().min(1).optional().describe("who must have issued a token (iss)"),
  ENSEMBLE_JWT_AUDIENCE: z.string().min(1).optional().describe("for whom a token must be (aud)"),
  ENSEMBLE_AUTH: z
    .literal("none")
    .optional()
    .describe("none: with no auth set, everybody who reaches the HOST may everything; needed when that is not loopback"),
  ENSEMBLE_AUTH_RECHECK_SECS: positive
    .min(1)
    .max(86_400)
    .default(60)
    .describe("whoever follows a stream is asked again this often who they are, and cut off when they are refused"),
  DATABASE_URL: z.string().optional().describe("Postgres to use (also DATABASE_URI, POSTGRES_URI); unset: an embedded one"),
  DATABASE_DIRECT_URL: z
    .string()
    .optional()
    .describe("the same server past a transaction pooler (PgBouncer), for migrations, LISTEN and session locks"),
  DATABASE_POOL_SIZE: count.max(1_000).default(10).describe("connections in this process's pool"),
  DATABASE_PREPARED_STATEMENTS: z
    .enum(["on", "off"])
    .optional()
    .describe(
      "whether the server keeps statements that come often; unset: on, unless DATABASE_DIRECT_URL says that a pooler is in between",
    ),
  DATABASE_QUERY_TIMEOUT_SECS: positive.default(60).describe("a statement that takes longer is given up, with its connection"),
  ENSEMBLE_DATABASE_WAIT_SECS: atLeastNone.default(60).describe("how long a start waits for a database that does not answer"),
  ENSEMBLE_DATA_DIR: z
    .string()
    .min(1)
    .default(".ensemble")
    .describe("where the embedded Postgres keeps its data, and where commands find the running service"),
  ENSEMBLE_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      "the service that the terminal's commands talk to, and to which a worker sends webhooks that are paths; unset: the project's own",
    ),
  ENSEMBLE_CONFIG: z.string().min(1).default("./langgraph.json").describe("the project file that lists the graphs"),
  ENSEMBLE_ROLE: z.enum(["all", "api", "worker"]).default("all").describe("what this process does"),
  ENSEMBLE_LEASE_SECS: positive.min(1).default(15).describe("a worker that was not heard of for this long has lost its runs"),
  N_JOBS_PER_WORKER: count.default(10).describe("runs a worker executes at once"),
  BG_JOB_MAX_RETRIES: count.default(3).describe("worker crashes over one run before it ends in error"),
  ENSEMBLE_ON_GRAPH_CHANGE: z
    .enum(["continue", "refuse"])
    .default("continue")
    .describe("whether a run goes on that another version of its graph began; one that must run a node that is gone never does"),
  ENSEMBLE_GRAPH_WAIT_SECS: positive
    .optional()
    .describe("a run whose graph no worker has ends in error after this long; unset: it waits for a worker that has it"),
  BG_JOB_TIMEOUT_SECS: positive.default(3_600).describe("a run that takes longer ends as timeout"),
  WORKER_DRAIN_TIMEOUT: atLeastNone.default(30).describe("seconds that running runs get to reach their next step at shutdown"),
  ENSEMBLE_EVENT_RETENTION_SECS: atLeastNone.default(120).describe("how long a run's events are kept after its end"),
  ENSEMBLE_RESUMABLE_RETENTION_SECS: atLeastNone.default(86_400).describe("the same for runs with stream_resumable"),
  ENSEMBLE_THREAD_TTL_MINUTES: positive
    .max(52_560_000)
    .optional()
    .describe("threads that nobody used for this long are deleted (also checkpointer.ttl in langgraph.json); unset: never"),
  ENSEMBLE_KEEP_CHECKPOINTS: count.optional().describe("checkpoints that a thread keeps when its run has ended; unset: all"),
  ENSEMBLE_BODY_LIMIT_MB: positive.default(50).describe("largest request body"),
  ENSEMBLE_STREAMS: count.default(10_000).describe("streams and sockets that this process has open before others are answered 429"),
  ENSEMBLE_STREAMS_PER_USER: count.default(5_000).describe("how many of them may be one user's, where auth is on"),
  ENSEMBLE_STREAMS_PER_RUN: count.default(1_000).describe("clients that may follow one run, or one thread, through this process"),
  ENSEMBLE_REQUEST_TIMEOUT_SECS: positive
    .max(86_400)
    .default(30)
    .describe("a request that has not arrived whole after this long, with its body, is cut off"),
  ENSEMBLE_STALLED_CLIENT_SECS: positive.default(60).describe("a client that takes nothing for this long is cut off and may come back"),
  ENSEMBLE_MAX_WAITING: count.default(1_000).describe("requests that may wait for the database before others are answered 429"),
  ENSEMBLE_WEBHOOK_SECRET: list
    .pipe(z.array(WebhookSecret).min(1))
    .optional()
    .describe("signs webhooks: whsec_ and 24 to 64 bytes in base64; several while one replaces another; unset: not signed"),
  ENSEMBLE_WEBHOOK_INSIDE_HOSTS: list
    .pipe(z.array(HostPattern))
    .optional()
    .describe("hosts (name, *.name, name:port) of the service's own network that webhooks may call, over http too; unset: none"),
  ENSEMBLE_PATTERN_HOSTS: list
    .pipe(z.array(Host))
    .optional()
    .describe("hosts (name:port) of the service's own network that the patterns' tools may call, on this machine too; unset: none"),
  ENSEMBLE_PATTERN_DIRECTORIES: Directories.optional().describe(
    "directories of this machine that the patterns may read, with commas between them; unset: none",
  ),
  ENSEMBLE_METRICS_PORT: port
    .optional()
    .describe("serves /metrics here too, to whoever asks, for a worker or a scraper without credentials; unset: only the API does"),
  ENSEMBLE_METRICS_HOST: z.string().min(1).default("127.0.0.1").describe("address of ENSEMBLE_METRICS_PORT"),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info").describe("how much is logged"),
  OPENAI_API_KEY: z
    .string()
    .optional()
    .describe("key for the model endpoint, read by @langchain/openai; without it and the next, the rehearsal model answers"),
  OPENAI_BASE_URL: z.string().optional().describe("an OpenAI-compatible endpoint, read by @langchain/openai"),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional().describe("where spans of runs are sent (OTLP over http); unset: no tracing"),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.string().optional().describe("the same with its whole path"),
  OTEL_TRACES_EXPORTER: z.string().optional().describe("otlp, console or none; otlp where an endpoint is set"),
  OTEL_EXPORTER_OTLP_PROTOCOL: z.string().default("http/protobuf").describe("http/protobuf or http/json"),
  OTEL_TRACES_SAMPLER: z
    .string()
    .default("parentbased_always_on")
    .describe("which runs are traced: (parentbased_)always_on, always_off, traceidratio"),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1).describe("the share for traceidratio"),
  OTEL_BSP_SCHEDULE_DELAY: atLeastNone.default(5_000).describe("milliseconds for which spans are gathered before they are sent"),
  OTEL_SDK_DISABLED: z.string().optional().describe("true: no tracing, whatever else is set"),
  OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: z.string().optional().describe("true: spans have prompts, answers and tool calls"),
  LANGSMITH_TRACING: z
    .string()
    .optional()
    .describe("true: LangChain sends LangSmith traces (also LANGSMITH_TRACING_V2, LANGCHAIN_TRACING, LANGCHAIN_TRACING_V2)"),
  LANGGRAPH_CONFIG: jsonText(GraphDefaults)
    .optional()
    .describe('defaults of the graphs\' own assistants: {"<graph>": {"context": …, "configurable": …}}'),
  ENSEMBLE_MODEL: z.string().min(1).default("gpt-5-mini").describe("model of the built-in graphs"),
};

const Settings = z.object(settings);

/** Returns whether a variable's value may hold a secret. An address may, in its user part or its query. */
export const mayHoldSecret = (name: string): boolean => /KEY|URL|URI|SECRET|ENDPOINT|^LANGGRAPH_CONFIG$/.test(name);

/** By any of these LangChain itself traces with LangSmith. */
const langsmithVariables = ["LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2"];

export type Config = ReturnType<typeof readConfig>;

/**
 * Adds a project's own environment (the `env` of its langgraph.json) to the process's, where graphs read it too. What the process was
 * started with wins; an empty variable counts as unset.
 */
export function adoptEnvironment(env: Record<string, string>): void {
  for (const [name, value] of Object.entries(env)) process.env[name] ||= value;
}

/**
 * Lends the graphs a model endpoint, in the variables where their clients look for one. The function that is returned takes it back, and
 * leaves alone what somebody else has set meanwhile.
 */
export function lendModelEndpoint(baseUrl: string): () => void {
  return lend({ OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: "rehearsal" });
}

/** Tells graphs that run in this process where its API is, unless the operator has told them. */
export function lendAddress(url: string): () => void {
  return process.env.ENSEMBLE_URL ? () => {} : lend({ ENSEMBLE_URL: url });
}

/** Tells graphs what they may touch, in the variables where they look: what the environment says, else what the project's file says. */
export function lendPatternLimits(
  { patternHosts, patternDirectories }: Pick<Config, "patternHosts" | "patternDirectories">,
  project: { hosts: string[]; directories: string[] },
): () => void {
  return lend({
    ENSEMBLE_PATTERN_HOSTS: (patternHosts ?? project.hosts).join(","),
    ENSEMBLE_PATTERN_DIRECTORIES: (patternDirectories ?? project.directories).join(","),
  });
}

/** Sets variables for as long as nobody else has set them again. */
function lend(lent: Record<string, string>): () => void {
  const before = Object.keys(lent).map((name) => ({ name, value: process.env[name] }));
  Object.assign(process.env, lent);
  return () => {
    for (const { name, value } of before) {
      if (process.env[name] !== lent[name]) continue;
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}

/** A variable that the project's own file refers to. */
export const variable = (name: string): string | undefined => process.env[name];

/** Where the project file is: needed before everything else, because it may bring environment along. */
export function projectFile(env: NodeJS.ProcessEnv = process.env): string {
  return env.ENSEMBLE_CONFIG || settings.ENSEMBLE_CONFIG.parse(undefined);
}

/** The configuration of this process. A malformed value stops the start with one sentence that names the variable. */
export function readConfig(env: NodeJS.ProcessEnv = process.env) {
  // An empty variable means unset: compose files pass `${NAME:-}` through.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ""));
  const parsed = Settings.safeParse({ ...given, DATABASE_URL: given.DATABASE_URL ?? given.DATABASE_URI ?? given.POSTGRES_URI });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const name = String(issue?.path[0]);
    const shown = mayHoldSecret(name) ? "is not what it should be" : `is "${given[name]}"`;
    throw new Error(`${name} (${describe(name)}) ${shown}: ${issue?.message}.`);
  }
  const value = parsed.data;
  return {
    port: value.PORT,
    /** Whether somebody chose the port. Otherwise the next free one may be taken instead. */
    portIsSet: given.PORT !== undefined,
    host: value.HOST,
    hosts: value.ENSEMBLE_HOSTS ?? [],
    ownKey: value.ENSEMBLE_API_KEY,
    apiKeys: value.ENSEMBLE_API_KEYS ?? [],
    jwt: {
      jwksUrl: value.ENSEMBLE_JWT_JWKS_URL,
      secret: value.ENSEMBLE_JWT_SECRET,
      issuer: value.ENSEMBLE_JWT_ISSUER,
      audience: value.ENSEMBLE_JWT_AUDIENCE,
    },
    isOpen: value.ENSEMBLE_AUTH === "none",
    recheckSeconds: value.ENSEMBLE_AUTH_RECHECK_SECS,
    databaseUrl: value.DATABASE_URL,
    databaseDirectUrl: value.DATABASE_DIRECT_URL,
    poolSize: value.DATABASE_POOL_SIZE,
    prepares: (value.DATABASE_PREPARED_STATEMENTS ?? (value.DATABASE_DIRECT_URL === undefined ? "on" : "off")) === "on",
    queryTimeoutSeconds: value.DATABASE_QUERY_TIMEOUT_SECS,
    databaseWaitSeconds: value.ENSEMBLE_DATABASE_WAIT_SECS,
    dataDir: value.ENSEMBLE_DATA_DIR,
    serviceUrl: value.ENSEMBLE_URL,
    configFile: value.ENSEMBLE_CONFIG,
    role: value.ENSEMBLE_ROLE,
    leaseSeconds: value.ENSEMBLE_LEASE_SECS,
    slots: value.N_JOBS_PER_WORKER,
    maxCrashes: value.BG_JOB_MAX_RETRIES,
    onGraphChange: value.ENSEMBLE_ON_GRAPH_CHANGE,
    graphWaitSeconds: value.ENSEMBLE_GRAPH_WAIT_SECS,
    runTimeoutSeconds: value.BG_JOB_TIMEOUT_SECS,
    drainSeconds: value.WORKER_DRAIN_TIMEOUT,
    eventRetentionSeconds: value.ENSEMBLE_EVENT_RETENTION_SECS,
    resumableRetentionSeconds: value.ENSEMBLE_RESUMABLE_RETENTION_SECS,
    threadTtlMinutes: value.ENSEMBLE_THREAD_TTL_MINUTES,
    keepCheckpoints: value.ENSEMBLE_KEEP_CHECKPOINTS,
    bodyLimitBytes: Math.floor(value.ENSEMBLE_BODY_LIMIT_MB * 1024 * 1024),
    streams: value.ENSEMBLE_STREAMS,
    streamsPerUser: value.ENSEMBLE_STREAMS_PER_USER,
    streamsPerRun: value.ENSEMBLE_STREAMS_PER_RUN,
    requestTimeoutSeconds: value.ENSEMBLE_REQUEST_TIMEOUT_SECS,
    stalledSeconds: value.ENSEMBLE_STALLED_CLIENT_SECS,
    maxWaiting: value.ENSEMBLE_MAX_WAITING,
    webhookSecrets: value.ENSEMBLE_WEBHOOK_SECRET ?? [],
    webhookInsideHosts: value.ENSEMBLE_WEBHOOK_INSIDE_HOSTS ?? [],
    patternHosts: value.ENSEMBLE_PATTERN_HOSTS,
    patternDirectories: value.ENSEMBLE_PATTERN_DIRECTORIES,
    metricsPort: value.ENSEMBLE_METRICS_PORT,
    metricsHost: value.ENSEMBLE_METRICS_HOST,
    logLevel: value.LOG_LEVEL,
    hasModelEndpoint: Boolean(value.OPENAI_API_KEY || value.OPENAI_BASE_URL),
    tracing: tracingOf(value),
    langsmith: langsmithVariables.some((name) => given[name] === "true"),
    graphDefaults: value.LANGGRAPH_CONFIG ?? {},
  };
}

/** Undefined: nothing is traced. */
function tracingOf(value: z.output<typeof Settings>) {
  const hasEndpoint = Boolean(value.OTEL_EXPORTER_OTLP_ENDPOINT || value.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
  const exporter = (value.OTEL_TRACES_EXPORTER ?? (hasEndpoint ? "otlp" : "none")).trim();
  if (isTrue(value.OTEL_SDK_DISABLED) || exporter === "none") return undefined;
  return {
    exporter,
    protocol: value.OTEL_EXPORTER_OTLP_PROTOCOL,
    sampler: value.OTEL_TRACES_SAMPLER,
    samplerArgument: value.OTEL_TRACES_SAMPLER_ARG,
    delayMs: value.OTEL_BSP_SCHEDULE_DELAY,
    withContent: isTrue(value.OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT),
  } as const;
}

const isTrue = (text: string | undefined) => text?.toLowerCase() === "true";

function describe(name: string): string {
  return name in settings ? (settings[name as keyof typeof settings].description ?? name) : name;
}
