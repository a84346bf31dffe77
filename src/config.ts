import type { z } from "zod";
import { describeSetting, mayHoldSecret, Settings, settings } from "./settings.ts";

/** The variables that turn on LangChain's own tracing to LangSmith. */
const langsmithVariables = ["LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2"];

export type Config = ReturnType<typeof readConfig>;

/**
 * Adds the variables of a project (`env` in langgraph.json) to `process.env`, so that graphs can read them. Keeps a variable that the
 * process already has, unless its value is empty.
 */
export function adoptEnvironment(env: Record<string, string>): void {
  for (const [name, value] of Object.entries(env)) process.env[name] ||= value;
}

/**
 * Sets the variables from which the graphs' OpenAI clients read their URL and key. Returns a function that restores the old values. It does
 * not touch variables that other code has changed since.
 */
export function setModelEndpoint(baseUrl: string): () => void {
  return setVariables({ OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: "rehearsal" });
}

/**
 * Sets the variable from which graphs in this process read the URL of the API, unless the operator has set it. Returns a function that
 * restores the old value.
 */
export function setServiceUrl(url: string): () => void {
  return process.env.ENSEMBLE_URL ? () => {} : setVariables({ ENSEMBLE_URL: url });
}

/**
 * Sets the environment variables from which Ensemble's ready-made graphs read their limits. A limit from the environment takes precedence
 * over one from the project file.
 */
export function setPatternLimits(
  { patternHosts, patternDirectories }: Pick<Config, "patternHosts" | "patternDirectories">,
  project: { hosts: string[]; directories: string[] },
): () => void {
  return setVariables({
    ENSEMBLE_PATTERN_HOSTS: (patternHosts ?? project.hosts).join(","),
    ENSEMBLE_PATTERN_DIRECTORIES: (patternDirectories ?? project.directories).join(","),
  });
}

/** Sets variables. Returns a function that restores their old values. It does not touch variables that other code has changed since. */
function setVariables(variables: Record<string, string>): () => void {
  const before = Object.keys(variables).map((name) => ({ name, value: process.env[name] }));
  Object.assign(process.env, variables);
  return () => {
    for (const { name, value } of before) {
      if (process.env[name] !== variables[name]) continue;
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}

/** Returns the value of an environment variable. Used for variables whose names are in the project file. */
export const variable = (name: string): string | undefined => process.env[name];

/** Returns the path of the project file. This file is read before all other settings, because it may add environment variables. */
export function projectFile(env: NodeJS.ProcessEnv = process.env): string {
  return env.ENSEMBLE_CONFIG || settings.ENSEMBLE_CONFIG.parse(undefined);
}

type Values = z.output<typeof Settings>;

/**
 * Returns the configuration of this process. If a variable is malformed, throws an error with its name, so that the service does not start.
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env) {
  // An empty variable counts as unset, because compose files pass `${NAME:-}` on as an empty value.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ""));
  const values = parseSettings(given);
  // The fields are in the same order as in `settings`.
  return {
    ...serverOptions(values),
    /** True if PORT is set. If false, the service may use the next free port. */
    portIsSet: given.PORT !== undefined,
    ...authOptions(values),
    ...databaseOptions(values),
    aes: aesOptions(values),
    encryptionTimeoutSeconds: values.ENSEMBLE_ENCRYPTION_TIMEOUT_SECS,
    ...runOptions(values),
    ...streamOptions(values),
    ...limitOptions(values),
    ...retentionOptions(values),
    ...webhookOptions(values),
    ...feedbackOptions(values),
    ...patternOptions(values),
    ...observabilityOptions(values),
    langsmith: langsmithVariables.some((name) => given[name] === "true"),
  };
}

function parseSettings(given: NodeJS.ProcessEnv): Values {
  const parsed = Settings.safeParse({ ...given, DATABASE_URL: given.DATABASE_URL ?? given.DATABASE_URI ?? given.POSTGRES_URI });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const name = String(issue?.path[0]);
  const shown = mayHoldSecret(name) ? "is not what it should be" : `is "${given[name]}"`;
  throw new Error(`${name} (${describeSetting(name)}) ${shown}: ${issue?.message}.`);
}

const serverOptions = (value: Values) => ({
  port: value.PORT,
  host: value.HOST,
  hosts: value.ENSEMBLE_HOSTS ?? [],
  consoleMode: value.ENSEMBLE_CONSOLE,
  role: value.ENSEMBLE_ROLE,
  configFile: value.ENSEMBLE_CONFIG,
  dataDir: value.ENSEMBLE_DATA_DIR,
  serviceUrl: value.ENSEMBLE_URL,
});

const authOptions = (value: Values) => ({
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
});

const databaseOptions = (value: Values) => ({
  databaseUrl: value.DATABASE_URL,
  databaseDirectUrl: value.DATABASE_DIRECT_URL,
  poolSize: value.DATABASE_POOL_SIZE,
  prepares: (value.DATABASE_PREPARED_STATEMENTS ?? (value.DATABASE_DIRECT_URL === undefined ? "on" : "off")) === "on",
  queryTimeoutSeconds: value.DATABASE_QUERY_TIMEOUT_SECS,
  databaseWaitSeconds: value.ENSEMBLE_DATABASE_WAIT_SECS,
});

/** Returns the options of the built-in encryption, or undefined if no key is set. */
function aesOptions(value: Values) {
  const { LANGGRAPH_AES_KEY: key, LANGGRAPH_AES_FALLBACK_KEYS: fallbackKeys = [], LANGGRAPH_AES_JSON_KEYS: searchedKeys = [] } = value;
  if (key) return { key, fallbackKeys, searchedKeys };
  const [name] = [fallbackKeys.length > 0 && "LANGGRAPH_AES_FALLBACK_KEYS", searchedKeys.length > 0 && "LANGGRAPH_AES_JSON_KEYS"].filter(
    Boolean,
  );
  if (name) throw new Error(`${name} needs LANGGRAPH_AES_KEY.`);
  return undefined;
}

const runOptions = (value: Values) => ({
  slots: value.N_JOBS_PER_WORKER,
  leaseSeconds: value.ENSEMBLE_LEASE_SECS,
  maxCrashes: value.BG_JOB_MAX_RETRIES,
  runTimeoutSeconds: value.BG_JOB_TIMEOUT_SECS,
  drainSeconds: value.WORKER_DRAIN_TIMEOUT,
  onGraphChange: value.ENSEMBLE_ON_GRAPH_CHANGE,
  graphWaitSeconds: value.ENSEMBLE_GRAPH_WAIT_SECS,
  graphDefaults: value.LANGGRAPH_CONFIG ?? {},
});

const streamOptions = (value: Values) => ({
  streams: value.ENSEMBLE_STREAMS,
  streamsPerUser: value.ENSEMBLE_STREAMS_PER_USER,
  streamsPerRun: value.ENSEMBLE_STREAMS_PER_RUN,
  stalledSeconds: value.ENSEMBLE_STALLED_CLIENT_SECS,
});

const limitOptions = (value: Values) => ({
  bodyLimitBytes: Math.floor(value.ENSEMBLE_BODY_LIMIT_MB * 1024 * 1024),
  requestTimeoutSeconds: value.ENSEMBLE_REQUEST_TIMEOUT_SECS,
  maxWaiting: value.ENSEMBLE_MAX_WAITING,
});

const retentionOptions = (value: Values) => ({
  eventRetentionSeconds: value.ENSEMBLE_EVENT_RETENTION_SECS,
  resumableRetentionSeconds: value.ENSEMBLE_RESUMABLE_RETENTION_SECS,
  threadTtlMinutes: value.ENSEMBLE_THREAD_TTL_MINUTES,
  keepCheckpoints: value.ENSEMBLE_KEEP_CHECKPOINTS,
  deadLetterDays: value.ENSEMBLE_DEAD_LETTER_DAYS,
  planDays: value.ENSEMBLE_PLAN_DAYS,
  feedbackDays: value.ENSEMBLE_FEEDBACK_DAYS,
  usageDays: value.ENSEMBLE_USAGE_DAYS,
});

const webhookOptions = (value: Values) => ({
  webhookSecrets: value.ENSEMBLE_WEBHOOK_SECRET ?? [],
  webhookInsideHosts: value.ENSEMBLE_WEBHOOK_INSIDE_HOSTS ?? [],
});

const feedbackOptions = (value: Values) => ({
  feedbackSecrets: (value.ENSEMBLE_FEEDBACK_SECRET ?? []).map((secret) => Buffer.from(secret)),
  feedbackUrlHours: value.ENSEMBLE_FEEDBACK_URL_HOURS,
});

const patternOptions = (value: Values) => ({
  hasModelEndpoint: Boolean(value.OPENAI_API_KEY || value.OPENAI_BASE_URL),
  patternHosts: value.ENSEMBLE_PATTERN_HOSTS,
  patternDirectories: value.ENSEMBLE_PATTERN_DIRECTORIES,
});

const observabilityOptions = (value: Values) => ({
  logLevel: value.LOG_LEVEL,
  metricsPort: value.ENSEMBLE_METRICS_PORT,
  metricsHost: value.ENSEMBLE_METRICS_HOST,
  tracing: tracingOf(value),
});

/** Returns the tracing options, or undefined if tracing is off. */
function tracingOf(value: Values) {
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
