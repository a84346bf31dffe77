import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyReply } from "fastify";
import type { Failure } from "./a2a-errors.ts";

/** The time after which an answer counts as slow, and the time between two line feeds, in milliseconds. */
const beatMs = 1_000;

/**
 * Waits for an answer and returns it. If the answer takes longer than a second, sends the headers, and then a line feed each second, so
 * that clients and proxies do not give up. At the end, sends such a slow answer itself and returns undefined. JSON parsers ignore line
 * feeds before a document.
 */
export async function answerSlowly<Answer>(reply: FastifyReply, answer: Promise<Answer>, failure: Failure): Promise<Answer | undefined> {
  const settled = answer.then(
    () => true,
    () => true,
  );
  const isQuick = await Promise.race([settled, sleep(beatMs, false, { ref: false })]);
  if (isQuick) {
    const said = await answer;
    if (failure.error !== undefined) throw failure.error;
    return said;
  }
  const headers = { ...reply.getHeaders(), "content-type": "application/json; charset=utf-8" };
  reply.hijack();
  const { raw } = reply;
  raw.on("error", () => {}); // after a connection error, the `close` event follows as well
  raw.writeHead(200, headers as Record<string, string>);
  const beat = setInterval(() => raw.write("\n"), beatMs);
  raw.write("\n");
  try {
    const said = await answer;
    if (failure.error !== undefined) throw failure.error;
    raw.end(JSON.stringify(said));
  } catch (err) {
    reply.log.error({ err }, "a2a request failed"); // the status was already sent, so only a broken connection shows the error
    raw.destroy();
  } finally {
    clearInterval(beat);
  }
  return undefined;
}
