import type { FastifyReply } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { bytesOfAssistants } from "../../assistants/assistants.ts";
import { listRuns } from "../../runs/read.ts";
import { RunStatus } from "../../runs/run.ts";
import { getThread } from "../../threads/threads.ts";
import { access } from "../admission/access.ts";
import { runDecisions } from "../admission/run-access.ts";
import { selectFields, sendTexts } from "../answers/lists.ts";
import type { ApiDeps } from "../api-deps.ts";
import { holdMemory, lightBytes, readWithin } from "../memory.ts";
import type { RequestOf } from "../route.ts";
import { makeBatch } from "../runs/make-runs.ts";
import { BatchCreate, RunCreate, toNewRun } from "../runs/run-request.ts";
import { type StartDeps, startAndStream, startAndWait, startRun } from "../runs/start-run.ts";
import { answers, Limit, Offset, OneOrMore, Run, streams, ThreadParams } from "../schemas.ts";

/**
 * The number of bytes to reserve for each byte of a batch of runs. During the request, the batch is in memory four times: as JSON
 * documents, in an SQL statement, as response objects, and as the text of the response.
 */
const weightOfByte = 4;

const batchSchema = { body: BatchCreate, response: answers(z.array(Run)) };
/** The fields that a list can select. Studio asks for `langsmith_session_name`, but our runs have no such field. */
const Selectable = z.enum([...Run.keyof().options, "langsmith_session_name"]);
const ListQuery = z.object({ limit: Limit, offset: Offset, status: RunStatus.optional(), select: OneOrMore(Selectable).optional() });
const listSchema = { params: ThreadParams, querystring: ListQuery, response: answers(z.array(Run)) };

const config = access(...runDecisions);

/** Creates runs with or without a thread, and lists the runs of a thread. */
export const runRoutes: FastifyPluginAsyncZod<StartDeps> = async (app, deps) => {
  const alone = { body: RunCreate };
  const onThread = { body: RunCreate, params: ThreadParams };
  app.post("/runs", { schema: { ...alone, response: answers(Run) }, config }, (request, reply) =>
    startRun(deps, { request, reply, body: request.body }),
  );
  app.post("/threads/:threadId/runs", { schema: { ...onThread, response: answers(Run) }, config }, (request, reply) =>
    startRun(deps, { request, reply, body: request.body, threadId: request.params.threadId }),
  );
  app.post("/runs/stream", { schema: { ...alone, response: streams }, config }, (request, reply) =>
    startAndStream(deps, { request, reply, body: request.body }),
  );
  app.post("/threads/:threadId/runs/stream", { schema: { ...onThread, response: streams }, config }, (request, reply) =>
    startAndStream(deps, { request, reply, body: request.body, threadId: request.params.threadId }),
  );
  app.post("/runs/wait", { schema: alone, config }, (request, reply) => startAndWait(deps, { request, reply, body: request.body }));
  app.post("/threads/:threadId/runs/wait", { schema: onThread, config }, (request, reply) =>
    startAndWait(deps, { request, reply, body: request.body, threadId: request.params.threadId }),
  );
  app.post("/runs/batch", { schema: batchSchema, config }, (request, reply) => startBatch(deps, request, reply));
  app.get("/threads/:threadId/runs", { schema: listSchema, config: access("threads:search", "threads:read") }, (request, reply) =>
    list(deps, request, reply),
  );
};

async function startBatch(deps: ApiDeps, request: RequestOf<typeof batchSchema>, reply: FastifyReply) {
  const { body, headers } = request;
  const wanted = body.map((one) => toNewRun(deps.settings, one, { threadId: one.thread_id ?? undefined, headers }));
  const assistantIds = wanted.map(({ assistantId }) => assistantId);
  // Memory is reserved before the transaction begins, because a waiting transaction would occupy a connection.
  const bytes = await bytesOfAssistants(deps.pool, assistantIds);
  if (bytes > lightBytes) await holdMemory(deps.memory, reply, weightOfByte * bytes);
  return reply.send(await makeBatch(deps, request, wanted));
}

/** Lists the runs of a thread, newest first. */
async function list(deps: ApiDeps, request: RequestOf<typeof listSchema>, reply: FastifyReply) {
  const { threadId } = request.params;
  const { query } = request;
  const thread = await request.access("threads:read", { thread_id: threadId });
  await getThread(deps.pool, thread.scope, threadId);
  const { scope } = await request.access("threads:search", { thread_id: threadId, status: query.status });
  const { rows, isCut } = await readWithin(deps.memory, reply, (bytes) => listRuns(deps.pool, scope, threadId, { ...query, bytes }));
  if (isCut) reply.header("x-pagination-next", String(query.offset + rows.length));
  const texts = rows.map((run) => JSON.stringify(selectFields(run, query.select)));
  return sendTexts(reply, texts);
}
