import { A2AError, RequestMalformedError, TaskNotFoundError } from "@a2a-js/sdk/errors";
import { ServiceError } from "../../errors.ts";

/** The kinds of caller errors for which the protocol has a code. All other errors are answered with an HTTP status, as on other routes. */
const inProtocol = ["malformed", "invalid", "not_found", "conflict", "thread_without_graph"];

/** Stores the error of a failed call if the A2A protocol has no code for this error. The call is then answered with an HTTP status. */
export interface Failure {
  error?: unknown;
}

/**
 * Returns the error to pass to the SDK. Also stores an error without a protocol code in `failure`, because the SDK would turn it into the
 * code -32603.
 */
export function toProtocolError(error: unknown, failure: Failure): unknown {
  if (error instanceof A2AError) return error;
  if (error instanceof ServiceError && inProtocol.includes(error.code)) {
    return error.message === "Run not found" ? new TaskNotFoundError() : new RequestMalformedError(error.message);
  }
  failure.error = error;
  return error;
}
