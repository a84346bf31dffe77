import { once } from "node:events";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import websocket from "@fastify/websocket";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { createDatabase } from "../database.ts";
import { type Host, startHost } from "./host.ts";

const path = `/threads/${crypto.randomUUID()}/stream/events`;

function open(url: string, headers: Record<string, string> = {}): WebSocket {
  const socket = new WebSocket(url.replace("http", "ws"), { headers });
  onTestFinished(() => socket.terminate());
  return socket;
}

/** Follows a run through the SDK's WebSocket. */
async function followRun({ client }: Host) {
  const thread = client.threads.stream({ assistantId: "steps", transport: "websocket" });
  onTestFinished(() => thread.close());
  await thread.run.start({ input: {} });
  return thread.output;
}

async function statusOf(socket: WebSocket): Promise<number | undefined> {
  socket.on("error", () => {});
  const [, response] = await once(socket, "unexpected-response");
  socket.terminate();
  return response.statusCode;
}

test("the SDK's WebSocket works below the prefix, and the app's hooks can refuse it", async () => {
  const host = await startHost(await createDatabase());
  expect(await followRun(host)).toMatchObject({ last: "three" });
  expect(host.seen.filter((line) => /^GET .*\/stream\/events/.test(line))).toHaveLength(1);
  expect(await statusOf(open(`${host.url}/agents${path}`, { "x-badge": "none" }))).toBe(402);
  expect(await statusOf(open(`${host.url}/agents${path}`, { origin: "http://evil.test" }))).toBe(403);

  const socket = open(`${host.url}/agents${path}`);
  await once(socket, "open");
  await Promise.all([once(socket, "close"), host.app.close()]); // an open socket does not keep the app from closing
});

test("the app's own WebSockets work beside the service's", async () => {
  const host = await startHost(await createDatabase(), {
    async before(app) {
      await app.register(websocket);
      app.get("/own", { websocket: true }, (socket) => socket.send("mine"));
    },
  });
  expect(await followRun(host)).toMatchObject({ last: "three" });
  const [message] = await once(open(`${host.url}/own`), "message");
  expect(String(message)).toBe("mine");
  expect(await statusOf(open(`${host.url}/agents${path}`, { "x-badge": "none" }))).toBe(402);
  await host.app.close();
});

test("an offer of HTTP/2 is answered as a plain request, with its body", async () => {
  const { app, url } = await startHost(await createDatabase());
  const headers = { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AAMAAABkAAQAAP__" };
  for (const [target, body] of [
    [`${url}/hello`, ""],
    [`${url}/agents/runs/wait`, JSON.stringify({ assistant_id: "steps", input: {} })],
  ] as const) {
    const call = request(target, { method: body ? "POST" : "GET", headers: { ...headers, "content-length": Buffer.byteLength(body) } });
    call.end(body);
    const [response] = await once(call, "response");
    expect([response.statusCode, JSON.parse(await text(response))]).toEqual([200, expect.anything()]);
  }
  await app.close();
});
