import type { FastifyReply, FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { type Assistant, findAssistant, toAssistantId } from "../../assistants/assistants.ts";
import { assistantNotFound, ServiceError } from "../../errors.ts";
import { answerCall, versionOf } from "../a2a/answer-call.ts";
import { cardOf, toNewCard, toOldCard } from "../a2a/card.ts";
import { access, scopeOrNone, usableAssistants } from "../admission/access.ts";
import { isOfGraph } from "../admission/run-access.ts";
import { goneOf } from "../gone.ts";
import { originOf } from "../origin.ts";
import type { RequestOf } from "../route.ts";
import type { StartDeps } from "../runs/start-run.ts";
import { AssistantParams, answers, Json, Text } from "../schemas.ts";

const rpcSchema = { params: AssistantParams, body: Json, response: answers(Json) };
const cardSchema = { params: AssistantParams, response: answers(Json) };
const wellKnownSchema = { querystring: z.object({ assistant_id: Text.optional() }), response: answers(Json) };

/** The actions that auth may have to allow for one JSON-RPC request, such as a request that sends a message or reads a task. */
const decisions = ["assistants:read", "threads:create_run", "threads:read", "threads:search", "threads:update"] as const;

/** Lets other agents call the assistants with the Agent2Agent protocol. */
export const a2aRoutes: FastifyPluginAsyncZod<StartDeps> = async (app, deps) => {
  app.post("/a2a/:assistantId", { schema: rpcSchema, config: access(...decisions) }, (request, reply) => call(deps, request, reply));
  const reads = access("assistants:read");
  app.get("/a2a/:assistantId/.well-known/agent-card.json", { schema: cardSchema, config: reads }, (request, reply) =>
    sendCard(deps, request, reply, request.params.assistantId),
  );
  app.get("/.well-known/agent-card.json", { schema: wellKnownSchema, config: reads }, (request, reply) =>
    sendCard(deps, request, reply, request.query.assistant_id ?? onlyGraph(deps)),
  );
};

async function call(deps: StartDeps, request: RequestOf<typeof rpcSchema>, reply: FastifyReply) {
  const assistant = await findUsable(deps, request, request.params.assistantId);
  const card = () => cardOf(deps, assistant, originOf(request, deps.settings.mountedAt));
  return answerCall({ deps, request, reply, assistant, gone: goneOf(reply.raw) }, card);
}

async function sendCard(deps: StartDeps, request: FastifyRequest, reply: FastifyReply, assistantId: string) {
  const card = await cardOf(deps, await findUsable(deps, request, assistantId), originOf(request, deps.settings.mountedAt));
  const isNew = versionOf(request, undefined) === "1.0";
  return reply.header("vary", "A2A-Version").send(isNew ? toNewCard(card) : await toOldCard(card));
}

/**
 * Returns an assistant from which the caller may create runs. Every caller may use the default assistant of a graph. This function asks
 * auth even then, because a route must ask auth about at least one of its declared actions.
 */
async function findUsable({ pool }: StartDeps, request: FastifyRequest, id: string): Promise<Assistant> {
  const readable = await scopeOrNone(request, "assistants:read", { assistant_id: toAssistantId(id) });
  const scope = isOfGraph(id) ? await usableAssistants(request, id, true) : readable;
  const assistant = await findAssistant(pool, scope, id);
  if (!assistant) throw assistantNotFound();
  return assistant;
}

function onlyGraph({ registry }: StartDeps): string {
  const [only, ...more] = registry.graphIds;
  if (only !== undefined && more.length === 0) return only;
  throw new ServiceError("invalid", `querystring.assistant_id: name an assistant, such as ${registry.graphIds.slice(0, 3).join(", ")}.`);
}
