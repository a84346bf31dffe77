import type { ServerResponse } from "node:http";

/** Returns a signal that aborts when the client has disconnected. If the client has already disconnected, the signal is already aborted. */
export function goneOf(response: ServerResponse): AbortSignal {
  if (response.destroyed || response.closed) return AbortSignal.abort();
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  return gone.signal;
}
