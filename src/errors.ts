/** The kinds of errors that a caller can cause, with their HTTP statuses. */
const kinds = {
  malformed: 400,
  thread_without_graph: 400,
  budget_spent: 402,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  unsupported: 415,
  invalid: 422,
  too_many: 429,
  bad_gateway: 502,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof kinds;

/**
 * An error that the caller caused. Every other error is a fault of the service: it is logged once, and the response is a 500. `cause`
 * appears only in the log.
 */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  readonly details: unknown;

  constructor(code: ErrorCode, sentence: string, details?: unknown, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause });
    this.name = "ServiceError";
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return kinds[this.code];
  }
}

/** The error for an unknown checkpoint. It has its own class, because the event streaming protocol has a separate error code for it. */
export class CheckpointNotFound extends ServiceError {
  constructor(threadId: string, checkpointId: string) {
    super("not_found", `Checkpoint ${checkpointId} not found in thread ${threadId}`);
  }
}

export const threadNotFound = (threadId: string) => new ServiceError("not_found", `Thread with ID ${threadId} not found`);
export const runNotFound = () => new ServiceError("not_found", "Run not found");
export const assistantNotFound = () => new ServiceError("not_found", "Assistant not found");
export const threadIsBusy = () => new ServiceError("conflict", "Thread is busy");
export const threadWithoutState = (threadId: string) => new ServiceError("not_found", `Thread ${threadId} has no checkpoint yet`);
export const itemNotSeen = () => new ServiceError("forbidden", "Not authorized: auth would not let you see the item that you put.");
export const itemNotFound = () => new ServiceError("not_found", "Item not found");
