import http, { type IncomingMessage, type Server } from "node:http";
import { Socket } from "node:net";
import { type Duplex, duplexPair, Readable } from "node:stream";
import { connectionHeaders } from "./web-bridge.ts";

export interface MemoryFetch {
  /**
   * Sends a request to the server in this process, and returns the response with its body as a stream. First calls `prepare` with the
   * connection as the server sees it. If the caller or the server closes its end of the connection, the other end is closed too.
   */
  fetch(request: Request, prepare?: (connection: Duplex) => void): Promise<Response>;
  /** Closes all connections that `fetch` has opened. */
  close(): void;
}

/** Tells whether a connection was made by `memoryFetch`. Every other connection is a network socket. */
export const isInMemory = (connection: Duplex): boolean => !(connection instanceof Socket);

/**
 * Returns a fetch that calls a server in this process through connections in memory. The requests are real HTTP but need no network socket,
 * so the server need not listen.
 */
export function memoryFetch(server: Server): MemoryFetch {
  const open = new Set<Duplex>();

  function connect(prepare: (connection: Duplex) => void): Duplex {
    const [near, far] = duplexPair();
    prepare(far);
    open.add(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on("error", () => {}); // after an error, the `close` event follows
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
    }
    server.emit("connection", far);
    return near;
  }

  return {
    fetch: (request, prepare = () => {}) => exchange(request, () => connect(prepare)),
    close() {
      for (const connection of open) connection.destroy();
    },
  };
}

/** Returns a function like `fetch` that calls the server in memory. It adds the prefix to the paths of the requests. */
export function fetchInMemory(server: Server, prefix: string): (request: Request) => Promise<Response> {
  const { fetch } = memoryFetch(server);
  return (request) => {
    const { pathname, search, origin } = new URL(request.url);
    return fetch(prefix ? new Request(origin + prefix + pathname + search, request) : request);
  };
}

async function exchange(request: Request, connect: () => Duplex): Promise<Response> {
  request.signal.throwIfAborted();
  const answered = Promise.withResolvers<IncomingMessage>();
  const { pathname, search, host } = new URL(request.url);
  const call = http.request({
    createConnection: connect,
    method: request.method,
    path: pathname + search,
    headers: { host, ...headersOf(request) },
    signal: request.signal,
  });
  call.on("error", answered.reject);
  call.on("response", answered.resolve);
  sendBody(request, call);
  return toResponse(await answered.promise);
}

function headersOf({ headers, body }: Request): Record<string, string> {
  const given = [...headers].filter(([name]) => !connectionHeaders.includes(name) && (body || name !== "content-length"));
  return Object.fromEntries(given);
}

/** Sends the request's body. Stops when the connection closes, because a server may respond before it has read the whole body. */
function sendBody({ body }: Request, call: http.ClientRequest): void {
  if (!body) {
    call.end();
    return;
  }
  const source = Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
  source.on("error", (error) => call.destroy(error));
  call.on("close", () => source.destroy());
  source.pipe(call);
}

const withoutBody = [204, 205, 304];

function toResponse(incoming: IncomingMessage): Response {
  const { statusCode: status = 500, statusMessage: statusText = "", rawHeaders } = incoming;
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (!connectionHeaders.includes(name.toLowerCase())) headers.append(name, rawHeaders[index + 1] ?? "");
  }
  if (withoutBody.includes(status)) incoming.resume();
  const body = withoutBody.includes(status) ? null : (Readable.toWeb(incoming) as ReadableStream);
  return new Response(body, { status, statusText, headers });
}
