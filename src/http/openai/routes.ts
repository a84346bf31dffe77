import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { access } from "../admission/access.ts";
import { runDecisions } from "../admission/run-access.ts";
import { Text } from "../schemas.ts";
import { ChatCreate, complete } from "./chat.ts";
import { modelNotFound, sendError } from "./errors.ts";
import { listModels } from "./models.ts";
import { ResponseCreate } from "./response-request.ts";
import { respond } from "./responses.ts";
import type { OpenAiDeps } from "./send-answer.ts";
import { cancel, ResponseParams, RetrieveQuery, remove, retrieve } from "./stored-responses.ts";

const searches = access("assistants:search");
/**
 * The auth actions of a request for an answer: creating a run, finding an assistant by name, and reading the thread that the request names.
 */
const completes = access(...runDecisions, "assistants:search", "threads:read");

const Model = z.object({ id: z.string(), object: z.literal("model"), created: z.number().int(), owned_by: z.string() }).loose();
const modelsSchema = { response: { 200: z.object({ object: z.literal("list"), data: z.array(Model) }) as z.ZodType<unknown> } };
const modelSchema = { params: z.object({ model: Text }), response: { 200: Model as z.ZodType<unknown> } };

/** Serves graphs with messages to clients of OpenAI's API. */
export const openAiRoutes: FastifyPluginAsyncZod<OpenAiDeps> = async (app, deps) => {
  app.setErrorHandler(sendError);
  app.get("/v1/models", { schema: modelsSchema, config: searches }, async (request, reply) =>
    reply.send({ object: "list", data: await listModels(deps, request) }),
  );
  app.get("/v1/models/:model", { schema: modelSchema, config: searches }, async (request, reply) => {
    const model = (await listModels(deps, request)).find(({ id }) => id === request.params.model);
    if (!model) throw modelNotFound(request.params.model);
    return reply.send(model);
  });
  app.post("/v1/chat/completions", { schema: { body: ChatCreate }, config: completes }, (request, reply) =>
    complete(deps, request, reply, request.body),
  );
  app.post("/v1/responses", { schema: { body: ResponseCreate }, config: completes }, (request, reply) =>
    respond(deps, request, reply, request.body),
  );
  const path = "/v1/responses/:responseId";
  const params = ResponseParams;
  app.get(path, { schema: { params, querystring: RetrieveQuery }, config: access("threads:read") }, (request, reply) =>
    retrieve(deps, request, reply, { ...request.params, ...request.query }),
  );
  app.post(`${path}/cancel`, { schema: { params }, config: access("threads:update") }, (request, reply) =>
    cancel(deps, request, reply, request.params.responseId),
  );
  app.delete(path, { schema: { params }, config: access("threads:delete") }, (request, reply) =>
    remove(deps, request, reply, request.params.responseId),
  );
};
