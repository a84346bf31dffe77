import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterFile } from "./after-file.ts";

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  text: string;
  body: Record<string, unknown>;
  /** Returns whether the sender has given up waiting for the answer. */
  closed: () => boolean;
}

/** Starts a receiver of webhooks, over real HTTP. `answer` answers each call. By default the status is 200. */
export async function startReceiver(answer: (response: ServerResponse, path: string, nth: number) => void = (response) => response.end()) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const path = request.url ?? "";
    const body = await text(request);
    const nth = received.filter((other) => other.path === path).length;
    received.push({ path, headers: request.headers, text: body, body: JSON.parse(body), closed: () => request.socket.destroyed });
    answer(response, path, nth);
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  afterFile(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    received,
    at: (path: string) => received.filter((one) => one.path === path),
  };
}
