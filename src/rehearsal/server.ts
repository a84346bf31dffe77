import type { AddressInfo } from "node:net";
import fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import { ZodError } from "zod";
import { complete, modelName } from "./completions.ts";
import { EmbeddingsRequest, embed } from "./embeddings.ts";
import { ChatRequest } from "./request.ts";

export interface Rehearsal {
  /** The URL of the endpoint. The service sets OPENAI_BASE_URL to this URL. */
  baseUrl: string;
  stop(): Promise<void>;
}

const bodyLimit = 10 * 1024 * 1024;
const model = { id: modelName, object: "model", created: 1_735_689_600, owned_by: "ensemble" };

/** Starts an OpenAI-compatible model endpoint on this machine. Calls `onFirstAnswer` once, after the endpoint's first answer. */
export async function startRehearsal(onFirstAnswer = () => {}): Promise<Rehearsal> {
  // Fastify's size limit is ten times ours. A body that exceeds our limit is thus read to its end before it is refused. If the server
  // refused earlier, a client that is still sending might not read the response.
  const app = fastify({ bodyLimit: 10 * bodyLimit, forceCloseConnections: true, routerOptions: { ignoreTrailingSlash: true } });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, async (_: FastifyRequest, body: Buffer) => parse(body));
  app.setErrorHandler((error: Error, _, reply) => sendError(reply, error));
  app.setNotFoundHandler(async ({ method, url }) => {
    const isKnown = (["GET", "POST"] as const).some((other) => app.hasRoute({ method: other, url: url.replace(/\?.*/, "") }));
    if (isKnown) throw new Refusal(405, `Not allowed to ${method} on ${url}.`, { code: "method_not_supported" });
    throw new Refusal(404, `Unknown request URL: ${method} ${url}.`, { code: "unknown_url" });
  });
  let answers = 0;
  app.addHook("onResponse", async ({ method }, { statusCode }) => {
    if (method === "POST" && statusCode === 200 && answers++ === 0) onFirstAnswer();
  });
  app.post("/v1/chat/completions", async ({ body }, reply) => complete(ChatRequest.parse(body), reply));
  app.post("/v1/embeddings", async ({ body }) => embed(EmbeddingsRequest.parse(body)));
  app.get("/v1/models", async () => ({ object: "list", data: [model] }));
  app.get<{ Params: { name: string } }>("/v1/models/:name", async ({ params: { name } }) => {
    if (name === modelName) return model;
    throw new Refusal(404, `The model '${name}' does not exist`, { param: "model", code: "model_not_found" });
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  return { baseUrl: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/v1`, stop: () => app.close() };
}

/** An error response of the endpoint, with the wording of OpenAI's API. */
class Refusal extends Error {
  readonly status: number;
  readonly details: object;

  constructor(status: number, message: string, details: object = {}) {
    super(message);
    this.status = status;
    this.details = details;
  }
}

function parse(body: Buffer): unknown {
  const { length: size } = body;
  if (size > bodyLimit) throw new Refusal(413, `The request has ${size} bytes; ${bodyLimit} are the most.`, { code: "request_too_large" });
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new Refusal(400, "We could not parse the JSON body of your request.");
  }
}

function sendError(reply: FastifyReply, error: Error): void {
  const { status, message, details } = asRefusal(error);
  const type = status < 500 ? "invalid_request_error" : "server_error";
  reply.code(status).send({ error: { message, type, param: null, code: null, ...details } });
}

function asRefusal(error: Error): Refusal {
  if (error instanceof Refusal) return error;
  const issue = error instanceof ZodError ? error.issues[0] : undefined;
  if (!issue) return new Refusal(500, `The rehearsal model failed: ${error.message}`);
  const steps = issue.path.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`));
  const param = steps.join("").replace(/^\./, "") || null;
  return new Refusal(400, `Invalid value for '${param ?? "body"}': ${issue.message}.`, { param });
}
