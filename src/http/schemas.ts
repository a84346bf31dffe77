import { z } from "zod";
import { MultitaskStrategy, RunStatus } from "../runs/run.ts";
import { AttemptOutcome, SpanKind, SpanOutcome } from "../runs/timeline.ts";
import { ThreadStatus } from "../threads/threads.ts";

/** Text that Postgres can store. Postgres refuses NUL characters, and UTF-8 cannot encode lone surrogates. */
export const Text = z
  .string()
  .max(100_000)
  .refine((text) => !text.includes("\0") && text.isWellFormed(), "must not contain NUL characters or lone surrogates");

/**
 * An id in lower case. Postgres returns ids in this form, and the checkpoint tables compare them as text, so an id in upper case would not
 * be found there.
 */
export const Id = z.guid().toLowerCase();
/** A JSON object of the caller, which stays unchanged. zod's record type is not used, because it would drop a key named `__proto__`. */
export const Json = z
  .custom<Record<string, unknown>>((value) => typeof value === "object" && value !== null && !Array.isArray(value), "expected an object")
  .meta({ type: "object", additionalProperties: {} });
/** A boolean from JSON or from a query string. */
export const Flag = z
  .union([z.boolean(), z.enum(["true", "false", "1", "0", "yes", "no"])])
  .transform((flag) => flag === true || flag === "true" || flag === "1" || flag === "yes");

/**
 * A whole number from JSON or from a query string. A query string may contain only digits and a sign, because `Number` would also accept ""
 * and "0x10".
 */
export const Whole = (min: number, max: number) =>
  z.preprocess(
    (value) => (typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : value),
    z.number().int().min(min).max(max),
  );
export const Limit = Whole(1, 1_000).default(10);
export const Offset = Whole(0, 1_000_000_000).default(0);
/** A point in time. A time without a zone counts as UTC. */
export const Time = z.iso
  .datetime({ offset: true, local: true })
  .transform((time) => new Date(/(Z|[+-]\d\d:?\d\d)$/.test(time) ? time : `${time}Z`))
  .refine((time) => Number.isFinite(time.getTime()), "is not a valid time");
export const SortOrder = z.enum(["asc", "desc"]).optional();
/** A list, or one item without a list. A query parameter that is given only once arrives as one item. */
export const OneOrMore = <Item extends z.ZodType>(item: Item) =>
  z.union([z.array(item), item.transform((one) => [one])]) as unknown as z.ZodType<z.output<Item>[]>;

/** A query parameter that some clients send with an empty value. An empty text means undefined. */
export const Unsettable = <Value>(value: z.ZodType<Value>) => z.preprocess((given) => (given === "" ? undefined : given), value.optional());

const CheckpointKeys = {
  checkpoint_id: Text.nullish(),
  checkpoint_ns: Text.nullish(),
  checkpoint_map: Json.nullish(),
};

export const Config = z
  .object({
    tags: z.array(Text).optional(),
    recursion_limit: z.number().int().min(1).max(1_000_000).optional(),
    max_concurrency: z.number().int().min(1).nullish(),
    run_name: Text.nullish(),
    metadata: Json.nullish(),
    configurable: z.looseObject(CheckpointKeys).optional(),
  })
  .loose();

export const Checkpoint = z.object(CheckpointKeys);

/** A target of `goto`: a node, or a node with its own input. RemoteGraph calls this input `args`, as LangGraph does. */
const Target = z.union([Text, z.object({ node: Text, input: z.unknown().optional(), args: z.unknown().optional() })]);

export const Command = z.object({
  update: z.union([Json, z.array(z.tuple([Text, z.unknown()]))]).nullish(),
  resume: z.unknown().optional(),
  goto: z.union([Target, z.array(Target)]).nullish(),
});

export const AssistantParams = z.object({ assistantId: Text });
export const ThreadParams = z.object({ threadId: Id });
export const RunParams = z.object({ threadId: Id, runId: Id });

/**
 * Returns a route's response schema for the OpenAPI document. The schema validates nothing at run time, because the TypeScript compiler has
 * checked the responses.
 */
export const answers = (schema: z.ZodType): { 200: z.ZodType<unknown> } => ({ 200: schema });

/** The description of the response of a route that sends a run's event stream. */
export const streams = {
  200: { description: "The events of the run, until it is over.", content: { "text/event-stream": { schema: z.string() } } },
};

export const TtlStrategy = z.enum(["delete", "keep_latest"]);
const Minutes = z.number().positive().max(52_560_000);

/**
 * How long a thread is kept after its last use, in minutes. After that time, the thread is deleted, or it loses all checkpoints except the
 * latest.
 */
export const ThreadTtl = z
  .union([Minutes, z.object({ ttl: Minutes, strategy: TtlStrategy.nullish() })])
  .transform((ttl) =>
    typeof ttl === "number"
      ? { minutes: ttl, strategy: "delete" as const }
      : { minutes: ttl.ttl, strategy: ttl.strategy ?? ("delete" as const) },
  );

/** When and how a thread expires. */
export const TtlInfo = z.object({ strategy: TtlStrategy, ttl_minutes: z.number(), expires_at: z.iso.datetime() });

export const Assistant = z
  .object({
    assistant_id: Id,
    graph_id: z.string(),
    version: z.number().int(),
    name: z.string(),
    description: z.string().nullable(),
    config: Json,
    context: Json,
    metadata: Json,
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime().optional(),
  })
  .meta({ id: "Assistant" });

export const Thread = z
  .object({
    thread_id: Id,
    status: ThreadStatus,
    metadata: Json,
    config: Json,
    values: z.unknown(),
    interrupts: Json,
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    state_updated_at: z.iso.datetime(),
  })
  .meta({ id: "Thread" });

export const Run = z
  .object({
    run_id: Id,
    thread_id: Id,
    assistant_id: Id,
    metadata: Json,
    status: RunStatus,
    kwargs: Json,
    multitask_strategy: MultitaskStrategy,
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    waiting_for_graph: z.string().optional(),
  })
  .meta({ id: "Run" });

const amount = z.number().int().nullable();
/** A limit on the runs of some graphs, in the form that the API returns. */
export const QueueLimit = z
  .object({
    name: z.string(),
    graphs: z.array(z.string()),
    total: amount,
    per_key: amount,
    rate: z.string().nullable(),
    max_waiting: amount,
    daily_tokens: amount,
    daily_dollars: z.number().nullable(),
    shadow: z.boolean(),
    configured: Json.nullable(),
    override: Json.nullable(),
    running: z.number().int(),
    waiting: z.number().int(),
    refused: z.number(),
  })
  .meta({ id: "QueueLimit" });

/** A queue key in the details of a limit, with the numbers of its running and waiting runs on the limit's graphs. */
export const KeyOfLimit = z.object({ key: z.string(), running: z.number().int(), waiting: z.number().int() }).meta({ id: "KeyOfLimit" });

/** A run in the results of a search over all threads. */
export const FoundRun = Run.extend({
  graph_id: z.string().nullable(),
  attempt: z.number().int(),
  worker_id: Id.nullable(),
  due_at: z.iso.datetime(),
  started_at: z.iso.datetime().nullable(),
  ended_at: z.iso.datetime().nullable(),
  duration_ms: z.number().nullable(),
  error: Json.nullable(),
}).meta({ id: "FoundRun" });

const Span = z.object({
  id: z.number().int(),
  parent: z.number().int().nullable().describe("id of the node around it"),
  kind: SpanKind,
  name: z.string().describe("name of the node, the model or the tool"),
  started_at: z.iso.datetime(),
  ended_at: z.iso.datetime(),
  outcome: SpanOutcome.describe("unfinished: its attempt ended first"),
  input_tokens: z.number().nullable(),
  output_tokens: z.number().nullable(),
  dollars: z.number().nullable().describe("the cost of a model call; null if its model has no price"),
  error: z.string().nullable(),
});

const TimelineAttempt = z.object({
  attempt: z.number().int(),
  worker_id: Id.nullable(),
  host: z.string().nullable(),
  pid: z.number().int().nullable(),
  version: z.string().nullable(),
  claimed_at: z.iso.datetime().nullable(),
  ended_at: z.iso.datetime().nullable(),
  outcome: AttemptOutcome.nullable().describe("null while the attempt goes on, or if nobody recorded its end"),
  spans: z.array(Span),
  dropped_spans: z.number().int().describe("spans that were not kept, because the attempt had more than 5,000"),
});

/** The attempts of a run, each with its spans. */
export const Timeline = z
  .object({
    run_id: Id,
    thread_id: Id,
    graph_id: z.string().nullable(),
    status: RunStatus,
    created_at: z.iso.datetime(),
    due_at: z.iso.datetime(),
    started_at: z.iso.datetime().nullable(),
    ended_at: z.iso.datetime().nullable(),
    attempts: z.array(TimelineAttempt),
  })
  .meta({ id: "Timeline" });

/** An open question in the results of a search over all threads. */
export const FoundInterrupt = z
  .object({
    thread_id: Id,
    run_id: Id.nullable(),
    graph_id: z.string().nullable(),
    assistant_id: z.string().nullable(),
    task_id: z.string(),
    interrupt_id: z.string(),
    value: z.unknown(),
    response_schema: z.unknown(),
    created_at: z.iso.datetime(),
    deadline: z.iso.datetime().nullable(),
  })
  .meta({ id: "Interrupt" });

export const ListedWorker = z
  .object({
    worker_id: Id,
    host: z.string(),
    pid: z.number().int(),
    version: z.string().nullable(),
    graphs: z.array(z.string()).nullable(),
    slots: z.number().int().nullable(),
    running: z.number().int(),
    alive: z.boolean(),
    started_at: z.iso.datetime(),
    heartbeat_at: z.iso.datetime(),
  })
  .meta({ id: "Worker" });

export const Cron = z
  .object({
    cron_id: Id,
    assistant_id: Id,
    thread_id: Id.nullable(),
    schedule: z.string(),
    timezone: z.string().nullable(),
    end_time: z.iso.datetime().nullable(),
    enabled: z.boolean(),
    on_run_completed: z.enum(["delete", "keep"]),
    payload: Json,
    metadata: Json,
    user_id: z.string().nullable(),
    next_run_date: z.iso.datetime().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: "Cron" });

export const ThreadState = z
  .object({
    values: z.unknown(),
    next: z.array(z.string()),
    tasks: z.array(Json),
    metadata: Json.optional(),
    created_at: z.string().nullable(),
    checkpoint: Json.nullable(),
    parent_checkpoint: Json.nullable(),
    interrupts: z.array(z.unknown()).optional(),
  })
  .meta({ id: "ThreadState" });

export const Item = z
  .object({
    namespace: z.array(z.string()),
    key: z.string(),
    value: Json,
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: "Item" });

export const DeadWebhook = z
  .object({
    run_id: Id,
    thread_id: Id,
    url: z.string(),
    attempts: z.number().int(),
    error: z.string(),
    created_at: z.iso.datetime(),
    died_at: z.iso.datetime(),
  })
  .meta({ id: "DeadWebhook" });
