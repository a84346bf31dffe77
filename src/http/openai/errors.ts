import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { ServiceError } from "../../errors.ts";
import { pathOf, toAnswer } from "../answers/answer-errors.ts";

/** The body of an error in OpenAI's form. */
export interface OpenAiError {
  message: string;
  type: string;
  code: string | null;
  param: string | null;
}

const Details = z.object({ param: z.string().nullable(), code: z.string() });
const Issues = z.array(z.object({ field: z.string() })).min(1);

/** Returns the error for a field whose value this API does not support. `code` is a word by which programs recognise the problem. */
export const refused = (param: string, sentence: string, code = "invalid_value") =>
  new ServiceError("malformed", `${param}: ${sentence}`, { param, code });

export const modelNotFound = (model: string) =>
  new ServiceError("not_found", `The model "${model.slice(0, 200)}" does not exist. GET /v1/models lists the models.`, {
    param: "model",
    code: "model_not_found",
  });

/** Tells whether a path belongs to the endpoints for clients of OpenAI's API. */
export const isOpenAiPath = (path: string): boolean => /\/v1\/(models|chat\/completions|responses)\b/.test(path);

const types: Record<number, string> = { 401: "authentication_error", 403: "permission_error", 429: "rate_limit_error" };

/** Returns an error in OpenAI's form that concerns no field of the request. */
export const errorOf = (status: number, message: string): OpenAiError => ({ message, type: typeOf(status), code: null, param: null });

const typeOf = (status: number) => types[status] ?? (status >= 500 ? "server_error" : "invalid_request_error");

/** Sends an error in OpenAI's form. Errors that OpenAI's clients do not expect get the nearest status that the clients know. */
export async function sendError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { status: given, sentence, details, headers = {} } = toAnswer(error);
  const status = given === 422 ? 400 : given;
  if (status >= 500) request.log.error({ err: error, path: pathOf(request.url) }, "request failed");
  const named = Details.safeParse(details).data;
  const field = Issues.safeParse(details).data?.[0]?.field.replace(/^(body|params|headers)\./, "");
  const body = { ...errorOf(status, sentence), code: named?.code ?? null, param: named?.param ?? field ?? null };
  if (status === 429 || status === 503) reply.header("retry-after", "1");
  return reply
    .code(status)
    .headers(headers)
    .type("application/json; charset=utf-8")
    .send(JSON.stringify({ error: body }));
}

/** Returns the error for a run that has failed. The message is the one that the API also shows for the run. */
export const runFailed = ({ error, message }: { error: string; message: string }): OpenAiError => ({
  message: `The run failed with ${error}: ${message}`,
  type: "server_error",
  code: "run_failed",
  param: null,
});

/** Returns the error for a stream whose text differs from the graph's answer. */
export const answerChanged = (node: string): OpenAiError => ({
  message: `The node "${node}" streamed a text that is not in the graph's answer. Give the model calls that are not the answer the tag "nostream".`,
  type: "server_error",
  code: "answer_changed",
  param: null,
});
