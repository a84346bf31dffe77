import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream as NodeStream } from "node:stream/web";

/** Returns a Node request as a web `Request`. Throws if that is impossible, for example because of an invalid host or an unusual method. */
export function toRequest(incoming: IncomingMessage, outgoing: ServerResponse): Request {
  const { method = "GET", headers, url = "/" } = incoming;
  const announced = headers["transfer-encoding"] ?? headers["content-length"] ?? "0";
  const hasBody = method !== "GET" && method !== "HEAD" && announced !== "0";
  const gone = new AbortController();
  const host = headers.host ?? "localhost";
  if (/[/?#@\\]/.test(host)) throw new Error("The host is not valid.");
  // The URL is concatenated, because `new URL(url, base)` would read a path that begins with two slashes as another host.
  const request = new Request(url.startsWith("/") ? `http://${host}${url}` : url, {
    method,
    headers: toHeaders(incoming),
    signal: gone.signal,
    ...(hasBody && { body: toBody(incoming, outgoing), duplex: "half" }),
  });
  outgoing.on("close", () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  return request;
}

/**
 * Returns the body as a stream. If the body is not read to its end, it is drained afterwards, because the next request on the connection
 * follows it.
 */
function toBody(incoming: IncomingMessage, outgoing: ServerResponse): ReadableStream<Uint8Array> {
  const chunks: AsyncIterableIterator<Uint8Array> = incoming.iterator({ destroyOnReturn: false });
  const drain = async () => {
    await chunks.return?.();
    incoming.resume();
  };
  outgoing.once("finish", drain);
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: drain,
    },
    { highWaterMark: 0 },
  );
}

function toHeaders({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) headers.append(rawHeaders[index] ?? "", rawHeaders[index + 1] ?? "");
  return headers;
}

/** The headers that belong to one connection. They are not forwarded. */
export const connectionHeaders = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
];

/** Sends a response in chunks as they arrive. If either side breaks off, closes the connection and rejects. */
export async function sendResponse(response: Response, reply: ServerResponse): Promise<void> {
  reply.statusCode = response.status;
  if (response.statusText) reply.statusMessage = response.statusText;
  for (const [name, value] of response.headers)
    if (name !== "set-cookie" && !connectionHeaders.includes(name)) reply.setHeader(name, value);
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) reply.setHeader("set-cookie", cookies);
  if (!response.body) {
    reply.end();
    return;
  }
  if (!response.headers.has("content-length")) reply.flushHeaders(); // the first chunk of a stream may take long
  await pipeline(Readable.fromWeb(response.body as NodeStream), reply);
}
