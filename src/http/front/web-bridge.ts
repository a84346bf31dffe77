import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream as NodeStream } from "node:stream/web";

/** A request as web apps take it. Throws what is wrong with one that cannot be told that way: a host that is none, an odd method. */
export function toRequest(incoming: IncomingMessage, outgoing: ServerResponse): Request {
  const { method = "GET", headers, url = "/" } = incoming;
  const announced = headers["transfer-encoding"] ?? headers["content-length"] ?? "0";
  const hasBody = method !== "GET" && method !== "HEAD" && announced !== "0";
  const gone = new AbortController();
  const host = headers.host ?? "localhost";
  if (/[/?#@\\]/.test(host)) throw new Error("The host is none.");
  // Not by `new URL(url, base)`: there a path that begins with two slashes would name another host.
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

/** What nobody wants of a body is read all the same in the end: the next request on the line comes behind it. */
function toBody(incoming: IncomingMessage, outgoing: ServerResponse): ReadableStream<Uint8Array> {
  const chunks: AsyncIterableIterator<Uint8Array> = incoming.iterator({ destroyOnReturn: false });
  const passOver = async () => {
    await chunks.return?.();
    incoming.resume();
  };
  outgoing.once("finish", passOver);
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: passOver,
    },
    { highWaterMark: 0 },
  );
}

function toHeaders({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) headers.append(rawHeaders[index] ?? "", rawHeaders[index + 1] ?? "");
  return headers;
}

/** These belong to one connection, and are not told on another. */
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

/** Sends an answer as it comes, holding nothing back. Rejects when it broke off, on whichever side; the connection is cut then. */
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
  if (!response.headers.has("content-length")) reply.flushHeaders(); // a stream's first chunk may be long in coming
  await pipeline(Readable.fromWeb(response.body as NodeStream), reply);
}
