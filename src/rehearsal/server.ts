import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { z } from "zod";
import { complete, modelName } from "./completions.ts";
import { EmbeddingsRequest, embed } from "./embeddings.ts";
import { ChatRequest } from "./request.ts";

export interface Rehearsal {
  /** The value for OPENAI_BASE_URL. */
  baseUrl: string;
  stop(): Promise<void>;
}

const bodyLimit = 10 * 1024 * 1024;

/**
 * Starts a model for machines that have none: an OpenAI-compatible endpoint on loopback with generated answers. Calls `onFirstAnswer`
 * once, after the first model call is answered.
 */
export async function startRehearsal(onFirstAnswer = () => {}): Promise<Rehearsal> {
  let answered = false;
  const server = createServer((request, response) => {
    void handle(request, response)
      .then((isModelCall) => {
        if (!isModelCall || answered) return;
        answered = true;
        onFirstAnswer();
      })
      .catch((error) => refuse(response, error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** An error answer, in the words of the original API. */
class Refusal extends Error {
  readonly status: number;
  readonly param: string | null;
  readonly code: string | null;

  constructor(status: number, message: string, { param = null, code = null }: { param?: string | null; code?: string | null } = {}) {
    super(message);
    this.status = status;
    this.param = param;
    this.code = code;
  }
}

/** Answers a request. Returns whether it was a model call. */
async function handle(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  const path = (request.url ?? "").replace(/\?.*$/, "").replace(/(?<=.)\/$/, "");
  const route = routes.find(({ pattern }) => pattern.test(path));
  if (!route) throw new Refusal(404, `Unknown request URL: ${request.method} ${path}.`, { code: "unknown_url" });
  if (request.method !== route.method)
    throw new Refusal(405, `Not allowed to ${request.method} on ${path}.`, { code: "method_not_supported" });
  await route.answer(request, response, path);
  return route.method === "POST";
}

interface Route {
  method: string;
  pattern: RegExp;
  answer: (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>;
}

const routes: Route[] = [
  {
    method: "POST",
    pattern: /^\/v1\/chat\/completions$/,
    answer: async (request, response) => complete(await readRequest(request, ChatRequest), response),
  },
  {
    method: "POST",
    pattern: /^\/v1\/embeddings$/,
    answer: async (request, response) => sendJson(response, 200, embed(await readRequest(request, EmbeddingsRequest))),
  },
  { method: "GET", pattern: /^\/v1\/models$/, answer: async (_, response) => sendJson(response, 200, { object: "list", data: [model] }) },
  { method: "GET", pattern: /^\/v1\/models\/[^/]+$/, answer: async (_, response, path) => sendModel(response, path) },
];

const model = { id: modelName, object: "model", created: 1_735_689_600, owned_by: "ensemble" };

function sendModel(response: ServerResponse, path: string): void {
  const name = path.slice("/v1/models/".length);
  if (name !== modelName) throw new Refusal(404, `The model '${name}' does not exist`, { param: "model", code: "model_not_found" });
  sendJson(response, 200, model);
}

async function readRequest<Schema extends z.ZodType>(request: IncomingMessage, schema: Schema): Promise<z.output<Schema>> {
  const parsed = schema.safeParse(await readJson(request));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const param =
    issue?.path.map((step, index) => (typeof step === "number" ? `[${step}]` : `${index > 0 ? "." : ""}${String(step)}`)).join("") || null;
  throw new Refusal(400, `Invalid value for '${param ?? "body"}': ${issue?.message}.`, { param });
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= bodyLimit) chunks.push(chunk); // the rest is read and dropped, so that the answer arrives
  }
  if (size > bodyLimit) throw new Refusal(413, `The request has ${size} bytes; ${bodyLimit} are the most.`, { code: "request_too_large" });
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new Refusal(400, "We could not parse the JSON body of your request.");
  }
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const known = error instanceof Refusal ? error : new Refusal(500, `The rehearsal model failed: ${(error as Error).message}`);
  const { status, message, param, code } = known;
  sendJson(response, status, { error: { message, type: status < 500 ? "invalid_request_error" : "server_error", param, code } });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
