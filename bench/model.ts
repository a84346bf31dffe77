import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** The model's next answer: the number of its tokens, and their rhythm. */
export interface Script {
  tokens: number;
  everyMs: number;
}

export interface ModelServer {
  /** The value for OPENAI_BASE_URL. */
  baseUrl: string;
  script(next: Script): void;
  close(): void;
}

/**
 * Starts a scripted model, which is an OpenAI-compatible endpoint over real HTTP. The text of each token is the time at which it was due.
 */
export async function startModel(): Promise<ModelServer> {
  let current: Script = { tokens: 1, everyMs: 0 };
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => void speak(response, current));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    script(next) {
      current = next;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const now = () => performance.timeOrigin + performance.now();

async function speak(response: ServerResponse, { tokens, everyMs }: Script): Promise<void> {
  const id = `chatcmpl-${randomUUID()}`;
  const send = (delta: object, finish_reason: string | null = null) => {
    const choices = [{ index: 0, delta, finish_reason }];
    return response.write(`data: ${JSON.stringify({ id, object: "chat.completion.chunk", created: 1, model: "scripted", choices })}\n\n`);
  };
  response.writeHead(200, { "content-type": "text/event-stream" });
  send({ role: "assistant", content: "" });
  const began = now();
  for (let number = 0; number < tokens && !response.destroyed; number++) {
    const dueAt = everyMs > 0 ? began + number * everyMs : now();
    if (dueAt > now()) await sleep(dueAt - now());
    const taken = send({ content: `${dueAt.toFixed(2)} ` });
    if (!taken) await Promise.race([once(response, "drain"), once(response, "close")]);
  }
  send({}, "stop");
  response.end("data: [DONE]\n\n");
}
