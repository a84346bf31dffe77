import type { FastifyReply } from "fastify";
import { lineOf } from "../admission/recheck.ts";
import type { StartDeps } from "../runs/start-run.ts";
import { openEventStream } from "../sse/sse.ts";
import type { Answer } from "./answer.ts";
import type { AskedRun } from "./follow-answer.ts";

export type OpenAiDeps = StartDeps & {
  /** True if the field `user` of a request names a thread. */
  threadsOfUsers: boolean;
};

/** The encoded server-sent events of one streamed answer. */
export interface AnswerFrames {
  begin(): string;
  text(delta: string): string;
  end(answer: Answer): string;
}

/**
 * Waits for the answer and sends it as one document. If the run has failed, sends the status 400, with which no client repeats its request.
 * Each repetition would start another run. OpenAI's clients repeat a request after 409 or a 5xx, and LangChain's clients also after 422.
 */
export async function sendAnswer(reply: FastifyReply, asked: AskedRun, toBody: (answer: Answer) => object): Promise<void> {
  const line = lineOf(reply);
  nameRun(reply, asked);
  try {
    const answer = await lastOf(asked.follow(line));
    if (line.gone.aborted) return void reply.hijack();
    const [status, body] = answer.error ? [400, { error: answer.error }] : [200, toBody(answer)];
    await reply.code(status).type("application/json; charset=utf-8").send(JSON.stringify(body));
  } catch (err) {
    reply.log.debug({ err, run_id: asked.run.run_id }, "answer cut");
    reply.hijack(); // sends no error status, because the client would then send the request again to this stopping process
    line.cut();
  } finally {
    asked.leave();
  }
}

/** Waits for the end of an answer, and returns the whole answer. */
export async function lastOf(answers: AsyncGenerator<string, Answer>): Promise<Answer> {
  for (;;) {
    const next = await answers.next();
    if (next.done) return next.value;
  }
}

/** Streams the answer. After an error of the service, closes the connection, because the HTTP status has already been sent. */
export async function streamAnswer(deps: OpenAiDeps, reply: FastifyReply, asked: AskedRun, frames: AnswerFrames): Promise<void> {
  nameRun(reply, asked);
  const stream = openEventStream(reply, deps.settings.stalledSeconds);
  try {
    await stream.write(frames.begin());
    const answers = asked.follow(stream);
    for (;;) {
      const next = await answers.next();
      if (next.done) {
        if (!stream.gone.aborted) await stream.write(frames.end(next.value));
        break;
      }
      for (const piece of piecesOf(next.value)) await stream.write(frames.text(piece));
    }
    if (!stream.gone.aborted) stream.end();
  } catch (err) {
    deps.log.debug({ err, run_id: asked.run.run_id }, "answer cut");
    stream.cut();
  } finally {
    asked.leave();
  }
}

/**
 * The largest number of UTF-16 units in one event. JSON needs at most six bytes for each unit, so that an event has less than 64 KiB. Open
 * WebUI cannot read an event of more than 128 KiB.
 */
const longestPiece = 10_000;

/** Splits a text into pieces that fit in one event each. Does not separate the two halves of a character. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = start + longestPiece;
    if (/[\uD800-\uDBFF]/.test(text[end - 1] ?? "")) end--;
    pieces.push(text.slice(start, end));
  }
  return pieces;
}

/** Adds the headers that name the run and its thread. */
export function nameRun(reply: FastifyReply, { run, threadId }: AskedRun): void {
  const thread = threadId === undefined ? "" : `/threads/${threadId}`;
  reply.header("content-location", `${thread}/runs/${run.run_id}`);
  if (threadId !== undefined) reply.header("x-thread-id", threadId);
}
