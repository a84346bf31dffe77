import { AsyncLocalStorage } from "node:async_hooks";

/**
 * The kinds of data that encryption handlers can tell apart. The first six kinds have the same names as in the official LangGraph server.
 */
export type SealedModel =
  | "assistant"
  | "checkpoint"
  | "cron"
  | "run"
  | "store"
  | "thread"
  | "cache"
  | "effect"
  | "event"
  | "feedback"
  | "letter"
  | "push"
  | "sample"
  | "stats";

/**
 * The parts of a column that are encrypted. SQL statements read the other parts.
 * - whole: the text or the bytes of the column
 * - fields: every value of the document, but not its keys
 * - config: the values of `configurable` and `metadata`
 * - request: the input, the context, the config and the command of a run
 * - interrupts: the value of every question
 * - error: the message
 * - spans: the errors in a list of spans
 * - record: the errors of the spans in the record of an attempt
 * - outcomes: the last error of every agent in a list
 */
export type SealedForm = "whole" | "fields" | "config" | "request" | "interrupts" | "error" | "spans" | "record" | "outcomes";

export interface SealedColumn {
  model: SealedModel;
  field: string;
  form: SealedForm;
  /**
   * True if clients can search the column. If the project has no encryption handler for JSON documents, only the values of the keys in
   * `searchedKeys` are then encrypted. A handler for documents decides by itself which values stay readable.
   */
  isSearched?: boolean;
  /** The keys that SQL statements read. They are never encrypted. */
  plainKeys?: readonly string[];
}

const user = { field: "auth_user", form: "fields", plainKeys: ["identity"] } as const;
const metadata = { field: "metadata", form: "fields", isSearched: true } as const;
/** The keys of a checkpoint's metadata by which checkpoints are pruned and counted. */
const checkpointKeys = ["source", "step", "parents", "run_attempt", "counters_since_delta_snapshot"];

/** All columns with encrypted values. docs/guides/encryption.md describes them, and also the columns that stay readable. */
export const sealedColumns = {
  "agent_health.last_error": { model: "stats", field: "last_error", form: "outcomes" },
  "assistants.config": { model: "assistant", field: "config", form: "config" },
  "assistants.context": { model: "assistant", field: "context", form: "fields" },
  "assistants.metadata": { model: "assistant", ...metadata, plainKeys: ["created_by", "preset", "content"] },
  "cache_entries.value": { model: "cache", field: "value", form: "whole" },
  "checkpoint_blobs.blob": { model: "checkpoint", field: "blob", form: "whole" },
  "checkpoint_writes.blob": { model: "checkpoint", field: "write", form: "whole" },
  "checkpoints.metadata": { model: "checkpoint", field: "metadata", form: "fields", plainKeys: checkpointKeys },
  "checkpoints.spans": { model: "checkpoint", field: "spans", form: "spans" },
  "crons.auth_user": { model: "cron", ...user },
  "crons.metadata": { model: "cron", ...metadata },
  "crons.payload": { model: "cron", field: "payload", form: "request" },
  "dead_letters.error": { model: "letter", field: "error", form: "error" },
  "dead_letters.kwargs": { model: "letter", field: "kwargs", form: "request" },
  "dead_letters.payload": { model: "letter", field: "payload", form: "request" },
  "effects.result": { model: "effect", field: "result", form: "whole" },
  "encryption_sample.sample": { model: "sample", field: "sample", form: "whole" },
  "feedback.comment": { model: "feedback", field: "comment", form: "whole" },
  "feedback.correction": { model: "feedback", field: "correction", form: "fields" },
  "feedback.metadata": { model: "feedback", field: "metadata", form: "fields" },
  "feedback.value": { model: "feedback", field: "value", form: "fields" },
  "push_configs.credentials": { model: "push", field: "credentials", form: "whole" },
  "push_configs.token": { model: "push", field: "token", form: "whole" },
  "redrives.auth_user": { model: "letter", ...user },
  "redrives.edit": { model: "letter", field: "edit", form: "request" },
  "redrives.metadata": { model: "letter", ...metadata },
  "run_events.data": { model: "event", field: "data", form: "whole" },
  "runs.auth_user": { model: "run", ...user },
  "runs.error": { model: "run", field: "error", form: "error" },
  "runs.kwargs": { model: "run", field: "kwargs", form: "request" },
  "runs.metadata": { model: "run", ...metadata },
  "runs.output": { model: "run", field: "output", form: "fields" },
  "runs.timeline": { model: "run", field: "timeline", form: "record" },
  "store_items.metadata": { model: "store", ...metadata },
  "store_items.value": { model: "store", field: "value", form: "fields" },
  "threads.config": { model: "thread", field: "config", form: "config" },
  "threads.interrupts": { model: "thread", field: "interrupts", form: "interrupts" },
  "threads.metadata": { model: "thread", ...metadata },
  "threads.values": { model: "thread", field: "values", form: "fields" },
} as const satisfies Record<string, SealedColumn>;
export type SealedColumnName = keyof typeof sealedColumns;

/**
 * A value of the user that is a parameter of a statement. If the project encrypts values, the connection encrypts this value. Otherwise, pg
 * calls `toPostgres` and sends the plain value.
 */
export class Sealable {
  readonly name: SealedColumnName;
  readonly plain: string | Uint8Array;

  constructor(name: SealedColumnName, plain: string | Uint8Array) {
    this.name = name;
    this.plain = plain;
  }

  toPostgres(): string | Uint8Array {
    return this.plain;
  }
}

/**
 * Returns a parameter for a column with encrypted values. `value` is text, JSON text or bytes. Null and undefined are returned unchanged.
 */
export function sealable<Value extends string | Uint8Array | null | undefined>(
  name: SealedColumnName,
  value: Value,
): Sealable | Extract<Value, null | undefined> {
  return value === null || value === undefined ? (value as Extract<Value, null | undefined>) : new Sealable(name, value);
}

/** Returns a parameter that holds a document as JSON, for a column with encrypted values. */
export const sealableJson = (name: SealedColumnName, document: unknown): Sealable => new Sealable(name, JSON.stringify(document));

/** The error for a value that cannot be encrypted or decrypted. The cause may be temporary, so a later try can succeed. */
export class SealingError extends Error {
  override name = "SealingError";
  /** Marks the error as trouble with the database, so that runs are retried and not ended. */
  readonly code: string = "ESEALED";
}

/**
 * The error for a value that can never be stored encrypted, however often the write is tried. A run that would store such a value ends with
 * an error.
 */
export class UnsealableValue extends SealingError {
  override name = "UnsealableValueError";
  /** `isDatabaseTrouble` returns false for this code, so that the run ends with an error and is not retried. */
  override readonly code = "UNSEALABLE_VALUE";
}

/** Facts about the owner of a value, such as a tenant. The project's encryption uses these facts to choose the key. */
export type SealingContext = Record<string, unknown>;

/**
 * The user for whom the current request or attempt stores values, so that these values are encrypted with the user's key. Null or undefined
 * if there is no user. Requests and attempts set it only if the encryption depends on users, but crons and timers set it for each run that
 * they create.
 */
export const sealingUser = new AsyncLocalStorage<object | null | undefined>();
