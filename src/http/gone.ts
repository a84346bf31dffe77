import type { ServerResponse } from "node:http";

/** Returns a signal that aborts when the client has left. If it has left already, the signal is aborted from the start. */
export function goneOf(response: ServerResponse): AbortSignal {
  if (response.destroyed || response.closed) return AbortSignal.abort();
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  return gone.signal;
}
