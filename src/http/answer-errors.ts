import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { isDatabaseTrouble } from "../db/failure.ts";
import { ServiceError } from "../errors.ts";

interface Answer {
  status: number;
  sentence: string;
  details?: unknown;
}

/** Every error leaves through here: the caller's with its sentence, ours logged once and answered without detail. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const answer = toAnswer(error);
    if (answer.status >= 500) request.log.error({ err: error, path: request.url }, "request failed");
    return send(request, reply, answer);
  });
  app.setNotFoundHandler(async (request, reply) => send(request, reply, { status: 404, sentence: "404 Not Found" }));
}

function toAnswer(error: FastifyError): Answer {
  if (error instanceof ServiceError) return { status: error.status, sentence: error.message, details: error.details };
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.map(({ instancePath, message }) => ({
      field: [error.validationContext, ...instancePath.split("/").slice(1)].join("."),
      message,
    }));
    return { status: 422, sentence: errors.map(({ field, message }) => `${field}: ${message}`).join("; "), details: errors };
  }
  if (error.statusCode !== undefined && error.statusCode < 500) return { status: error.statusCode, sentence: error.message };
  if (isUnstorableText(error)) return { status: 422, sentence: `The request holds a value that cannot be stored: ${error.message}.` };
  if (isDatabaseTrouble(error)) return { status: 503, sentence: "The database does not answer; try again in a moment." };
  return { status: 500, sentence: "Internal Server Error" };
}

/** SQLSTATE class 22: what the caller sent does not fit the column it is meant for. */
function isUnstorableText(error: FastifyError): boolean {
  return /^22[0-9A-Z]{3}$/.test(error.code ?? "");
}

/** Plain text that begins with the sentence, because clients match on it; JSON for those who ask, and for lists of fields. */
async function send(request: FastifyRequest, reply: FastifyReply, { status, sentence, details }: Answer): Promise<FastifyReply> {
  reply.code(status);
  if (status === 429 || status === 503) reply.header("retry-after", "1");
  const wantsJson = request.headers.accept?.includes("application/json") ?? false;
  if (details !== undefined) return reply.type("application/json").send(JSON.stringify({ detail: sentence, errors: details }));
  if (wantsJson) return reply.type("application/json").send(JSON.stringify({ detail: sentence }));
  return reply.type("text/plain; charset=utf-8").send(sentence);
}
