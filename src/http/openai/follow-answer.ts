import type { FastifyRequest } from "fastify";
import { ServiceError } from "../../errors.ts";
import { getRun } from "../../runs/read.ts";
import type { Json, Run } from "../../runs/run.ts";
import { alreadyDecided } from "../admission/access.ts";
import { takePlaceAtRun } from "../admission/places.ts";
import { type Followed, keepAsking, type Line, ownRequest } from "../admission/recheck.ts";
import { makeRun } from "../runs/make-runs.ts";
import { type RunCreateBody, toNewRun } from "../runs/run-request.ts";
import type { StartDeps } from "../runs/start-run.ts";
import { cancelAbandoned } from "../sse/follow.ts";
import { type Answer, answerOf } from "./answer.ts";
import { AnswerAssembler, type Failure } from "./assembler.ts";
import { finalNodes } from "./final-nodes.ts";

/** A request to our OpenAI-compatible API, with the data from which its run is created. */
export interface Asking {
  request: FastifyRequest;
  body: RunCreateBody;
  graphId: string;
  threadId: string | undefined;
  /** True if the answer is streamed to the client. The run then logs its messages token by token. */
  streams: boolean;
  /** The request, stored with the run so that clients can read the response later. Undefined if the response is not stored. */
  response?: Json | undefined;
}

/** A run whose answer a client follows. */
export interface FollowedAnswer extends Pick<Asking, "request" | "graphId" | "threadId" | "streams"> {
  run: Run;
  followed: Followed;
  /** True if the run works only for this client, and is therefore cancelled when the client disconnects. */
  cancels: boolean;
}

/** A run whose answer is sent to a client. */
export interface AskedRun {
  run: Run;
  /** The id of the run's thread. Undefined for a temporary thread. */
  threadId: string | undefined;
  /** Yields the text of the answer, piece by piece, and returns the answer. */
  follow(line: Line): AsyncGenerator<string, Answer>;
  /** Stops counting this client against the limits on open streams. */
  leave(): void;
}

/**
 * Creates the run of a request. First counts the client against the limits on open streams, so that a refused client leaves no run behind.
 */
export async function askRun(deps: StartDeps, asking: Asking): Promise<AskedRun> {
  const { request, body, graphId, threadId, streams, response } = asking;
  const stream_mode: RunCreateBody["stream_mode"] = streams ? ["values", "messages-tuple"] : ["values"];
  const wanted = toNewRun(
    deps.settings,
    { ...body, stream_mode, stream_resumable: response !== undefined },
    { threadId, headers: request.headers },
  );
  if (response) wanted.kwargs.response = response;
  const leavePlace = takePlaceAtRun(deps, request, wanted.runId);
  const forget = deps.feed.expect(wanted.runId);
  const leave = () => {
    forget();
    leavePlace();
  };
  const run = await makeRun(deps, request, wanted).catch((error) => {
    leave();
    throw error;
  });
  const followed = { request, graphId, threadId, streams, run, followed: ownRequest, cancels: response?.background !== true };
  return { run, threadId, leave, follow: (line) => followAnswer(deps, followed, line) };
}

/**
 * Returns a failure if somebody has cancelled the run, and undefined otherwise. The log of a cancelled run has no error event, so this
 * function reads the run's status.
 */
async function cancellationOf({ pool }: StartDeps, run: Run, { questions }: AnswerAssembler): Promise<Failure | undefined> {
  if (questions.length > 0) return undefined; // the question is the answer, so the status does not matter
  const ended = await getRun(pool, alreadyDecided, undefined, run.run_id).catch((error) => {
    if (error instanceof ServiceError) return undefined; // the run was already deleted with its temporary thread
    throw error;
  });
  return ended?.status === "interrupted" ? { error: "Cancelled", message: "The run was cancelled." } : undefined;
}

/** Yields the text of a run's answer, piece by piece, and returns the answer. Ends early if the client disconnects. */
export async function* followAnswer(deps: StartDeps, answer: FollowedAnswer, line: Line): AsyncGenerator<string, Answer> {
  const { request, graphId, threadId, streams, run, followed, cancels } = answer;
  let isOver = false;
  keepAsking(deps, request, followed, line);
  try {
    const assembler = new AnswerAssembler(streams ? await finalNodes(deps.registry, graphId) : () => false);
    for await (const events of deps.feed.follow(run.run_id, -1, line.gone)) {
      for (const event of events) {
        const text = assembler.onEvent(event);
        if (text !== "") yield text;
      }
    }
    isOver = !line.gone.aborted;
    if (isOver) assembler.failure ??= await cancellationOf(deps, run, assembler);
    const answer = answerOf(assembler, threadId);
    if (answer.question !== "" && isOver) yield answer.question;
    return answer;
  } finally {
    if (!isOver && cancels) await cancelAbandoned(deps, { cancelScope: alreadyDecided, runId: run.run_id, threadId: run.thread_id });
  }
}
