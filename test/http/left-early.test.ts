import { once } from "node:events";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { type FastifyReply, fastify } from "fastify";
import { expect, test } from "vitest";
import { lineOf } from "../../src/http/admission/recheck.ts";
import { openEventStream } from "../../src/http/sse/sse.ts";
import { afterFile } from "../after-file.ts";

const app = fastify();
afterFile(() => app.close());
const openings: Record<string, (reply: FastifyReply) => AbortSignal> = {
  waits: (reply) => lineOf(reply).gone,
  streams: (reply) => openEventStream(reply, 30).gone,
};
const opened = new Map<string, PromiseWithResolvers<AbortSignal>>();
/** Opens the connection only after its client has disconnected, as happens with a slow auth handler. */
for (const [name, open] of Object.entries(openings)) {
  opened.set(name, Promise.withResolvers());
  app.get(`/${name}`, async (_, reply) => {
    leave?.();
    await once(reply.raw, "close");
    opened.get(name)?.resolve(open(reply));
    return reply.hijack();
  });
}
let leave: (() => void) | undefined;
await app.listen({ host: "127.0.0.1", port: 0 });
const { port } = app.server.address() as AddressInfo;

test.each(Object.keys(openings))("a client that left before its request was decided is gone, when it %s", async (name) => {
  const call = request({ host: "127.0.0.1", port, path: `/${name}` });
  call.on("error", () => {});
  leave = () => call.destroy();
  call.end();
  const gone = await opened.get(name)?.promise;
  await expect.poll(() => gone?.aborted, { timeout: 2_000 }).toBe(true);
});
