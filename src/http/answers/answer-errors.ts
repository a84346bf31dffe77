import { maxHeaderSize } from "node:http";
import type { Socket } from "node:net";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { AuthRefusal } from "../../auth/auth.ts";
import { isDatabaseTrouble } from "../../db/failure.ts";
import { SealingError } from "../../db/sealable.ts";
import { ServiceError } from "../../errors.ts";
import { explain } from "./issues.ts";

interface Answer {
  status: number;
  sentence: string;
  details?: unknown;
  headers?: Record<string, string>;
}

/**
 * Adds the handlers that respond to all errors. The response to an error that the caller caused has the error's message. Any other error is
 * logged once, and its response has no details.
 */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const answer = toAnswer(error);
    const path = pathOf(request.url);
    if (answer.status >= 500) request.log.error({ err: error, path }, "request failed");
    else if (hasForeignCause(error)) request.log.warn({ err: error, path }, "request refused");
    return send(request, reply, answer);
  });
  app.setNotFoundHandler(async (request, reply) =>
    send(request, reply, {
      status: 404,
      sentence: `404 Not Found: there is no ${request.method} ${pathOf(request.url)}; /docs lists what there is.`,
    }),
  );
}

/** Returns the path of a URL for a log. The query and the token of a feedback URL are left out, because they may grant access. */
export const pathOf = (url: string): string => (url.split("?")[0] ?? "").replace(/(\/feedback\/tokens\/)[^/]+/, "$1<token>");

/**
 * Tells whether an error that the caller caused also contains an error of another system in `cause`. The response does not show this
 * `cause`, so the error is logged. Other errors that callers cause are not logged.
 */
const hasForeignCause = (error: unknown) => error instanceof ServiceError && error.cause !== undefined;

/**
 * Responds to a request whose path Fastify refuses before it looks for a route. The path then contains an invalid percent-encoding, or an
 * id that is too long.
 */
export function refusePath(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const tooLong = error.code === "FST_ERR_MAX_PARAM_LENGTH"; // Fastify's own message contains the whole path
  void send(request, reply, tooLong ? { status: 414, sentence: "A part of the path is too long to be an id or a name." } : toAnswer(error));
}

const unreadable: Record<string, [status: string, sentence: string]> = {
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", `The headers are larger than ${maxHeaderSize} bytes.`],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "The request did not arrive in time."],
};

/** Responds to a request that is not valid HTTP. Writes to the socket, because Fastify creates no reply object for such a request. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  const [status, sentence] = unreadable[error.code ?? ""] ?? ["400 Bad Request", `This is not an HTTP request: ${error.message}.`];
  if (socket.writable && error.code !== "ECONNRESET") {
    const headers = `content-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(sentence)}\r\nconnection: close`;
    socket.write(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${sentence}`);
  }
  socket.destroySoon();
}

/**
 * Postgres's code for a violated foreign key. This error occurs only if a row is deleted after it was looked up and before another row that
 * refers to it is inserted.
 */
const foreignKeyViolation = "23503";

/** Returns the response to an error. An error of the caller keeps its message, and any other error gets a response without details. */
export function toAnswer(error: FastifyError): Answer {
  if (error instanceof AuthRefusal) return { status: error.status, sentence: error.message, headers: error.headers };
  if (error instanceof ServiceError) return { status: error.status, sentence: error.message, details: error.details };
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.map((issue) => ({
      field: [error.validationContext, ...issue.instancePath.split("/").filter(Boolean)].join("."),
      message: explain(issue.message, issue.params),
    }));
    return { status: 422, sentence: errors.map(({ field, message }) => `${field}: ${message}`).join("; "), details: errors };
  }
  if (error.statusCode !== undefined && error.statusCode < 500) return { status: error.statusCode, sentence: error.message };
  if (error.code === foreignKeyViolation) return { status: 409, sentence: "Something that the request refers to was deleted meanwhile." };
  if (isUnstorableText(error)) return { status: 422, sentence: `The request holds a value that cannot be stored: ${error.message}.` };
  if (error instanceof SealingError)
    return { status: 500, sentence: "A value cannot be encrypted or decrypted. The service's log says why." };
  if (isDatabaseTrouble(error)) return { status: 503, sentence: "The database does not answer; try again in a moment." };
  return { status: 500, sentence: "Internal Server Error" };
}

/** Tells whether Postgres refused a value of the caller because the column cannot store it (SQLSTATE class 22). */
function isUnstorableText(error: FastifyError): boolean {
  return /^22[0-9A-Z]{3}$/.test(error.code ?? "");
}

/**
 * Sends an error. The body is plain text that begins with the message, because clients match on it. If the client requests JSON, or if the
 * error lists fields, the body is JSON.
 */
async function send(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, sentence, details, headers = {} }: Answer,
): Promise<FastifyReply> {
  reply.code(status).headers(headers);
  if (status === 429 || status === 503) reply.header("retry-after", "1");
  const wantsJson = request.headers.accept?.includes("application/json") ?? false;
  if (details !== undefined) return reply.type("application/json").send(JSON.stringify({ detail: sentence, errors: details }));
  if (wantsJson) return reply.type("application/json").send(JSON.stringify({ detail: sentence }));
  return reply.type("text/plain; charset=utf-8").send(sentence);
}
