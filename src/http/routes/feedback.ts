import type { FastifyReply, FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { toAssistantId } from "../../assistants/assistants.ts";
import { transaction } from "../../db/sql.ts";
import { ServiceError } from "../../errors.ts";
import { type GivenFeedback, giveFeedback, searchFeedback } from "../../feedback/feedback.ts";
import { getRun } from "../../runs/read.ts";
import { access } from "../admission/access.ts";
import { sendPage } from "../answers/lists.ts";
import type { ApiDeps } from "../api-deps.ts";
import { refuseSealedQuery } from "../front/body.ts";
import { readWithin } from "../memory.ts";
import type { RequestOf } from "../route.ts";
import { Feedback, FeedbackGiven, FeedbackInQuery, FeedbackKey, FeedbackTaken, FeedbackWithUrl } from "../schemas/feedback-schemas.ts";
import { answers, Id, Limit, Offset, RunParams, Text, Time } from "../schemas.ts";
import { feedbackOf } from "../sse/feedback-urls.ts";

const TokenParams = z.object({ token: Text });
/**
 * The size limit of feedback, in bytes. The limit is much smaller than the limit of other bodies, because anyone with the URL may send
 * feedback.
 */
const mostBytes = 64 * 1024;

const postSchema = { params: TokenParams, body: FeedbackGiven, response: answers(FeedbackTaken) };
const getSchema = { params: TokenParams, querystring: FeedbackInQuery, response: answers(FeedbackTaken) };
const listSchema = { params: RunParams, response: answers(z.array(FeedbackWithUrl)) };
const searchSchema = {
  body: z.object({
    run_id: Id.optional(),
    thread_id: Id.optional(),
    assistant_id: Text.optional().describe("an assistant's id, or a graph's id for its default assistant"),
    graph_id: Text.optional(),
    key: FeedbackKey.optional(),
    score_min: z.number().optional(),
    score_max: z.number().optional(),
    given_since: Time.optional(),
    given_until: Time.optional().describe("feedback that was given before this time"),
    limit: Limit,
    offset: Offset,
    exact: z.boolean().optional().describe("counts all of it. By default, a total above 10,000 is an estimate"),
  }),
  response: answers(z.array(Feedback)),
};

/** Takes feedback through signed URLs, which need no credentials, and lists feedback for callers who may see the runs. */
export const feedbackRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, deps) => {
  const config = { access: "public" as const };
  const path = "/feedback/tokens/:token";
  app.post(path, { schema: postSchema, config, bodyLimit: mostBytes }, (request, reply) => give(deps, request, reply, request.body));
  // There is no HEAD route, because a program that only looks at a link sends a HEAD request, and looking must not give feedback.
  app.get(path, { schema: getSchema, config, exposeHeadRoute: false }, (request, reply) => {
    refuseSealedQuery(request.query);
    return give(deps, request, reply, request.query);
  });
  const list = "/threads/:threadId/runs/:runId/feedback";
  app.get(list, { schema: listSchema, config: access("threads:read") }, (request, reply) => listOfRun(deps, request, reply));
  app.post("/feedback/search", { schema: searchSchema, config: access("threads:search") }, (request, reply) =>
    search(deps, request, reply),
  );
};

async function give(
  { pool, feedback }: ApiDeps,
  { params: { token } }: FastifyRequest<{ Params: { token: string } }>,
  reply: FastifyReply,
  given: GivenFeedback,
) {
  const right = await feedback.read(token);
  if (!right) throw new ServiceError("not_found", "This feedback URL is not valid. Use the URL as the service has sent it.");
  // The response contains the stored feedback. If the feedback cannot be decrypted, the transaction undoes the change.
  const taken = await transaction(pool, (tx) => giveFeedback(tx, right, given));
  return reply.header("cache-control", "no-store").send(taken);
}

/**
 * Sends a run's feedback, with a new URL for each feedback key. A caller who may read the run may also see the URLs, because the run's
 * stream contains such URLs.
 */
async function listOfRun(deps: ApiDeps, request: RequestOf<typeof listSchema>, reply: FastifyReply) {
  const { threadId, runId } = request.params;
  const { scope } = await request.access("threads:read", { thread_id: threadId, run_id: runId });
  await getRun(deps.pool, scope, threadId, runId);
  return reply.header("cache-control", "no-store").send(await feedbackOf(deps, request, runId));
}

async function search({ pool, memory }: ApiDeps, request: RequestOf<typeof searchSchema>, reply: FastifyReply) {
  const { scope, value: query } = await request.access("threads:search", { ...request.body });
  const { assistant_id } = query;
  const wanted = { ...query, ...(assistant_id !== undefined && { assistant_id: toAssistantId(assistant_id) }) };
  return sendPage(reply, await readWithin(memory, reply, (bytes) => searchFeedback(pool, scope, { ...wanted, bytes })), query);
}
