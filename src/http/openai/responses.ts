import type { FastifyReply, FastifyRequest } from "fastify";
import type { Assistant } from "../../assistants/assistants.ts";
import { lastCheckpointOfRun } from "../../checkpoints/lifecycle.ts";
import { newId } from "../../db/ids.ts";
import { ServiceError } from "../../errors.ts";
import { getRun, listRuns } from "../../runs/read.ts";
import { threadOf, toRun } from "./conversation.ts";
import { refused } from "./errors.ts";
import { askRun } from "./follow-answer.ts";
import { findModel } from "./models.ts";
import { responseEvents } from "./response-events.ts";
import { frameOf, responseOf, responseWithout } from "./response-object.ts";
import { messagesOf, type ResponseBody, ResponseRequest, runIdOf, toolsOf } from "./response-request.ts";
import { nameRun, type OpenAiDeps, sendAnswer, streamAnswer } from "./send-answer.ts";

/** Starts a run for a request of OpenAI's Responses API, and sends the run's answer as the response. */
export async function respond(deps: OpenAiDeps, request: FastifyRequest, reply: FastifyReply, body: ResponseBody): Promise<void> {
  if (body.background && body.store === false) throw refused("background", "a response in the background must be stored");
  if (body.conversation) throw refused("conversation", "send previous_response_id or the header x-thread-id", "unsupported_parameter");
  const assistant = await findModel(deps, request, body.model);
  const place = await placeOf(deps, request, { ...body, assistant });
  const { threadId } = place;
  const run = await toRun(deps, request, { ...place, ...toolsOf(body), assistant, messages: messagesOf(body), metadata: body.metadata });
  const response = body.store === false ? undefined : ResponseRequest.parse(body);
  const streams = body.stream ?? false;
  const asked = await askRun(deps, { request, body: run, graphId: assistant.graph_id, threadId, streams, response });
  const frame = frameOf(asked.run, body);
  if (body.stream) return streamAnswer(deps, reply, asked, responseEvents(frame));
  if (!body.background) return sendAnswer(reply, asked, (answer) => responseOf(frame, answer));
  asked.leave();
  nameRun(reply, asked);
  await reply.send(responseWithout(frame, "queued"));
}

/** The thread on which a response is made, and the checkpoint from which the response's run starts. */
interface Place {
  threadId: string | undefined;
  checkpointId?: string | undefined;
  isAllNew?: boolean;
}

/**
 * Returns the thread on which a response is made, and the checkpoint from which the run continues. The thread is the first of these that
 * exists:
 * - the thread of the previous response
 * - the thread that the request names
 * - a new thread, which is temporary if the request sets `store: false`
 */
async function placeOf(
  deps: OpenAiDeps,
  request: FastifyRequest,
  { previous_response_id: previous, store, ...named }: ResponseBody & { assistant: Assistant },
): Promise<Place> {
  if (previous) return { ...(await placeAfter(deps, request, previous)), isAllNew: true };
  const threadId = threadOf(deps, request, named);
  return { threadId: threadId ?? (store === false ? undefined : newId()) };
}

/**
 * Returns the thread of the previous response. If newer runs have changed this thread since, also returns the last checkpoint of the
 * previous response's run.
 */
async function placeAfter({ pool }: OpenAiDeps, request: FastifyRequest, previous: string): Promise<Place> {
  const runId = runIdOf(previous) ?? "";
  const { scope } = await request.access("threads:read", { run_id: runId });
  const run = await getRun(pool, scope, undefined, runId).catch((error) => {
    throw error instanceof ServiceError ? unknownResponse(previous) : error;
  });
  if (run.kwargs.temporary) throw unknownResponse(previous); // its thread is temporary and will soon be deleted
  const threadId = run.thread_id;
  const { rows } = await listRuns(pool, scope, threadId, { limit: 1, offset: 0 });
  if (rows[0]?.run_id === runId) return { threadId };
  const checkpointId = await lastCheckpointOfRun(pool, threadId, runId);
  if (checkpointId === undefined) throw unknownResponse(previous);
  return { threadId, checkpointId };
}

const unknownResponse = (id: string) =>
  new ServiceError("not_found", `Previous response with id "${id}" not found.`, {
    param: "previous_response_id",
    code: "previous_response_not_found",
  });
