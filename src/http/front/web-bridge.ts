import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream as NodeStream } from "node:stream/web";

/**
 * Returns a Node request as a web `Request`. Throws if the request cannot be converted, for example because of an invalid host or an
 * unusual method.
 */
export function toRequest(incoming: IncomingMessage, outgoing: ServerResponse): Request {
  const { method = "GET", headers, url = "/" } = incoming;
  const announced = headers["transfer-encoding"] ?? headers["content-length"] ?? "0";
  const hasBody = method !== "GET" && method !== "HEAD" && announced !== "0";
  const gone = new AbortController();
  const host = headers.host ?? "localhost";
  if (/[/?#@\\]/.test(host)) throw new Error("The host is not valid.");
  // The URL is concatenated, because `new URL(url, base)` would take the beginning of a path such as `//x` for a host.
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
 * Returns the body of a request as a stream. If nobody reads the body to its end, the rest is read and dropped after the response, because
 * the connection's next request comes after it.
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

/** The headers that concern one connection only, and are therefore not forwarded. */
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

/** Sends the chunks of a response as they arrive. If either side breaks off, closes the connection and rejects. */
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
  if (!response.headers.has("content-length")) reply.flushHeaders(); // send the headers at once, because the first chunk of a stream may take long
  await pipeline(Readable.fromWeb(response.body as NodeStream), reply);
}
