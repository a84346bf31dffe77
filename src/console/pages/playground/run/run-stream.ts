import { ApiFailure } from "../../../api.ts";
import { prefix } from "../../../boot.ts";
import { reportLost, whenUp } from "../../../connection.ts";
import { credentialHeaders, forgetCredential } from "../../../credential.ts";
import { isObject } from "../../../parts/json-schema.ts";
import { readEventStream, type StreamEvent } from "../../../parts/sse.ts";

/** The error of a request that the service refused, with the problems of its fields. */
export class Refused extends ApiFailure {
  /** The problem of each field. A field is a path such as `input.scenarios[0].name`. */
  readonly fields: { field: string; message: string }[];

  constructor(status: number, sentence: string, fields: Refused["fields"] = []) {
    super(status, sentence);
    this.fields = fields;
  }
}

export interface Place {
  threadId: string;
  runId: string;
}

interface Watching {
  signal: AbortSignal;
  onEvent: (event: StreamEvent) => void;
  /** Called with true when the connection is lost, and with false when it is restored. */
  onLost: (isLost: boolean) => void;
}

/** Milliseconds to wait before a broken stream is opened again. */
const pauseMs = 500;

/**
 * Creates a run and returns the open stream of its events. While the service does not answer, the same request is repeated. Its idempotency
 * key ensures that only one run is created.
 */
export async function postRun(threadId: string, body: unknown, watching: Watching): Promise<Place & { response: Response }> {
  const headers = { "content-type": "application/json", "idempotency-key": crypto.randomUUID() };
  for (;;) {
    const response = await request(`/threads/${threadId}/runs/stream`, { method: "POST", headers, body: JSON.stringify(body) }, watching);
    const runId = response?.headers.get("content-location")?.split("/").at(-1);
    if (response && runId) return { threadId, runId, response };
    await pause(watching);
  }
}

/**
 * Passes on the events of a run until the run ends. If the stream breaks, for example at a restart of the service, opens a new stream that
 * begins after the last event.
 */
export async function followRun(place: Place, first: Response | undefined, watching: Watching): Promise<void> {
  const path = `/threads/${place.threadId}/runs/${place.runId}/stream`;
  let lastId = "";
  for (let response = first; ; response = undefined) {
    const headers: Record<string, string> = lastId === "" ? {} : { "last-event-id": lastId };
    const open = response ?? (await request(path, { headers }, watching));
    if (open?.body) {
      watching.onLost(false);
      const isOver = await readUntilCut(open.body, (event) => {
        if (event.id !== "") lastId = event.id;
        watching.onEvent(event);
      });
      if (isOver) return;
      watching.signal.throwIfAborted();
    }
    await pause(watching);
  }
}

/**
 * Calls `take` with each event until the stream ends or breaks. Returns false if the stream broke. An error that `take` throws is not
 * caught, because it is not an error of the connection.
 */
async function readUntilCut(body: ReadableStream<Uint8Array>, take: (event: StreamEvent) => void): Promise<boolean> {
  const events = readEventStream(body);
  for (;;) {
    const next = await events.next().catch(() => undefined);
    if (!next) return false;
    if (next.done) return true;
    take(next.value);
  }
}

async function pause({ onLost, signal }: Watching): Promise<void> {
  onLost(true);
  reportLost();
  await new Promise((resolve) => setTimeout(resolve, pauseMs));
  await whenUp();
  signal.throwIfAborted();
}

/** The HTTP statuses with which a proxy answers if the service cannot be reached. */
const passing = [502, 503, 504];

/** Sends a request. Returns undefined if the service does not answer, or cannot process the request at the moment. */
async function request(path: string, init: RequestInit, { signal }: Watching): Promise<Response | undefined> {
  const headers = { ...init.headers, ...credentialHeaders(), accept: "text/event-stream" };
  const response = await fetch(`${prefix}${path}`, { ...init, headers, signal, cache: "no-store" }).catch(() => undefined);
  signal.throwIfAborted();
  if (!response || (init.method === "POST" ? passing : [...passing, 429]).includes(response.status)) return undefined;
  if (response.ok) return response;
  const body = await response.text();
  if (response.status === 401) forgetCredential(body);
  throw refusalIn(response.status, body);
}

function refusalIn(status: number, body: string): Refused {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return new Refused(status, body || `The service answered with status ${status}.`);
  }
  if (!isObject(value)) return new Refused(status, body);
  const errors = Array.isArray(value.errors) ? value.errors.filter(isObject) : [];
  const fields = errors.map(({ field, message }) => ({ field: String(field), message: String(message) }));
  return new Refused(status, typeof value.detail === "string" ? value.detail : body, fields);
}
