import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { AuthEvent } from "../../auth/auth.ts";
import type { Scope } from "../../db/scope.ts";
import { ServiceError } from "../../errors.ts";
import { getRun, keepsEvents } from "../../runs/read.ts";
import type { Run } from "../../runs/run.ts";
import { takePlaceAtRun } from "../admission/places.ts";
import { type Line, lineOf } from "../admission/recheck.ts";
import { cancelRuns } from "../runs/cancel-runs.ts";
import { deleteRun } from "../runs/delete-run.ts";
import { Flag, Text } from "../schemas.ts";
import { runOutput } from "../sse/follow.ts";
import { followAnswer } from "./follow-answer.ts";
import { responseEvents } from "./response-events.ts";
import { frameOf, type ResponseFrame, responseOf, responseWithout } from "./response-object.ts";
import { ResponseRequest, runIdOf } from "./response-request.ts";
import { lastOf, type OpenAiDeps, streamAnswer } from "./send-answer.ts";

/** The path and the query of a request for a stored response. */
export const ResponseParams = z.object({ responseId: Text });
export const RetrieveQuery = z.object({ stream: Flag.optional(), starting_after: z.coerce.number().int().min(0).optional() });

/** A response that can be read again, and the run that gives it. */
interface StoredResponse {
  run: Run;
  frame: ResponseFrame;
  /**
   * The scope that auth returned for the request. It includes `run`, and all other runs on which the caller may perform the requested
   * action.
   */
  scope: Scope;
  /** Asks auth again on which runs the caller may perform the requested action. */
  decide(): Promise<Scope>;
}

/** Sends a stored response. With `stream`, streams its events from the first one, or from the one after the number `starting_after`. */
export async function retrieve(
  deps: OpenAiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  { responseId: id, stream, starting_after: after }: z.output<typeof ResponseParams> & z.output<typeof RetrieveQuery>,
): Promise<void> {
  const stored = await findResponse(deps, request, id, "threads:read");
  if (!stream) return void (await reply.send(await presentResponse(deps, request, reply, stored)));
  const { run, frame } = stored;
  await refuseExpired(deps, stored);
  const leave = takePlaceAtRun(deps, request, run.run_id);
  const follow = followerOf(deps, request, stored, true);
  await streamAnswer(deps, reply, { run, threadId: run.thread_id, follow, leave }, responseEvents(frame, after));
}

/** Cancels the run of a response, waits for its end, and sends the response. A response that is complete stays as it is. */
export async function cancel(deps: OpenAiDeps, request: FastifyRequest, reply: FastifyReply, id: string): Promise<void> {
  const stored = await findResponse(deps, request, id, "threads:update");
  const { run, scope } = stored;
  const place = { runId: run.run_id, threadId: run.thread_id };
  const leave = takePlaceAtRun(deps, request, run.run_id);
  try {
    await cancelRuns(deps, scope, { threadId: run.thread_id, runIds: [run.run_id], action: "interrupt" });
    const line = lineOf(reply);
    await runOutput(deps, { ...place, scope }, { signal: line.gone });
    if (line.gone.aborted) return void reply.hijack();
    const ended = await getRun(deps.pool, scope, run.thread_id, run.run_id);
    await reply.send(await presentResponse(deps, request, reply, { ...stored, run: ended }));
  } finally {
    leave();
  }
}

/** Deletes the run of a response. The runs of newer responses on the same thread are not deleted. */
export async function remove(deps: OpenAiDeps, request: FastifyRequest, reply: FastifyReply, id: string): Promise<void> {
  const { run, scope } = await findResponse(deps, request, id, "threads:delete");
  await deleteRun(deps, scope, { threadId: run.thread_id, runId: run.run_id });
  await reply.send({ id, object: "response", deleted: true });
}

/** Finds a response that the caller may read, cancel or delete, depending on the action. Throws a 404 if there is none. */
async function findResponse(
  { pool }: OpenAiDeps,
  request: FastifyRequest,
  id: string,
  action: Extract<AuthEvent, "threads:read" | "threads:update" | "threads:delete">,
): Promise<StoredResponse> {
  const runId = runIdOf(id);
  const decide = async () => (await request.access(action, { run_id: runId })).scope;
  const scope = await decide();
  if (runId === undefined) throw responseNotFound(id);
  const run = await getRun(pool, scope, undefined, runId).catch((error) => {
    throw error instanceof ServiceError && error.code === "not_found" ? responseNotFound(id) : error;
  });
  const asked = ResponseRequest.safeParse(run.kwargs.response).data;
  if (!asked) throw responseNotFound(id);
  return { run, frame: frameOf(run, asked), scope, decide };
}

/** Returns the response as it is now. */
async function presentResponse(deps: OpenAiDeps, request: FastifyRequest, reply: FastifyReply, stored: StoredResponse): Promise<object> {
  const { run, frame } = stored;
  if (run.status === "pending") return responseWithout(frame, "queued");
  if (run.status === "running") return responseWithout(frame, "in_progress");
  await refuseExpired(deps, stored);
  const answer = await lastOf(followerOf(deps, request, stored, false)(lineOf(reply)));
  const isCancelled = run.status === "interrupted" && answer.question === "";
  return isCancelled ? responseWithout(frame, "cancelled") : responseOf(frame, answer);
}

/** Returns a function that follows the run of a response. If the client disconnects, the run goes on. */
const followerOf = (deps: OpenAiDeps, request: FastifyRequest, { run, decide }: StoredResponse, streams: boolean) => {
  const { run_id: runId, thread_id: threadId } = run;
  const followed = { decide, find: (scope: Scope) => getRun(deps.pool, scope, threadId, runId) };
  const graphId = String(run.kwargs.config.configurable?.graph_id);
  return (line: Line) => followAnswer(deps, { request, run, graphId, threadId, streams, followed, cancels: false }, line);
};

/** Throws a 404 if the events from which the response is made are already deleted. */
async function refuseExpired({ pool }: OpenAiDeps, { run, frame }: StoredResponse): Promise<void> {
  if (await keepsEvents(pool, run.run_id)) return;
  const sentence = `Response with id "${frame.id}" is no longer stored. Its run and its thread may still exist.`;
  throw new ServiceError("not_found", sentence, { param: null, code: "response_expired" });
}

const responseNotFound = (id: string) =>
  new ServiceError("not_found", `Response with id "${id.slice(0, 200)}" not found.`, { param: null, code: "response_not_found" });
