import { isUtf8 } from "node:buffer";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { looksSealed } from "../../encryption/sealed-text.ts";
import { ServiceError } from "../../errors.ts";
import { holdMemory, type Memory } from "../memory.ts";
import type { AllowedOrigins } from "./cors.ts";
import { isForeign, quote } from "./gate.ts";

/**
 * The size in bytes up to which a body is read without reserving memory. Only hundreds of such bodies at the same time would use much
 * memory.
 */
const smallBody = 256 * 1024;
/** The assumed size in bytes of a body without a content-length. */
const unknownLength = 8 * 1024 * 1024;
/** The bytes of memory to reserve for each byte of a body. During a request, the body exists as a buffer, as text and as a parsed value. */
const weightOfByte = 4;
/**
 * The highest number of values in a body. A value takes far more memory than its text, and a small text such as `[],[],[]` can hold many
 * values.
 */
const maxValues = 1_000_000;

/**
 * The deepest nesting of a document, in levels. Postgres and other readers process nested values recursively, and a deeper document would
 * exceed their stacks.
 */
const maxDepth = 500;

/**
 * Parses every body as JSON, whatever its content type, like the official LangGraph server. A missing body becomes an empty object, because
 * the SDK sends some requests without a body.
 */
export function acceptJsonBodies(app: FastifyInstance, origins: AllowedOrigins, memory: Memory): void {
  app.removeAllContentTypeParsers();
  // Memory for a large body is reserved before the body is read, and released after the response has been sent.
  app.addHook("preParsing", async (request, reply) => {
    const { "content-length": length = 0, "transfer-encoding": encoding } = request.headers;
    const bytes = encoding === undefined ? Number(length) : unknownLength;
    if (bytes > smallBody) await holdMemory(memory, reply, weightOfByte * bytes);
  });
  app.addContentTypeParser("*", { parseAs: "buffer" }, async (request: FastifyRequest, body: string | Buffer) => {
    refuseWithoutPreflight(request, origins);
    return parseJson(body as Buffer);
  });
  app.addHook("preValidation", async (request) => {
    request.body ??= request.body === null ? null : {};
  });
}

/** The content types that a web page can send to another origin without a preflight. */
const simpleTypes = ["", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"];

/** Refuses a body that a foreign page could send without a preflight. Such a request would bypass CORS. */
function refuseWithoutPreflight({ headers }: FastifyRequest, origins: AllowedOrigins): void {
  const type = (headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (!isForeign(headers.origin, headers.host, origins) || !simpleTypes.includes(type)) return;
  throw new ServiceError("unsupported", `Pages of the Origin ${quote(headers.origin)} must send JSON with content-type application/json.`);
}

/**
 * Parses a body as JSON. Returns undefined for a blank body. Throws a `ServiceError` if the body is not valid JSON, is too deep, has too
 * many values, or contains a text that looks like an encrypted value.
 */
export function parseJson(body: Buffer): unknown {
  if (!isUtf8(body)) throw new ServiceError("malformed", "The request body is not UTF-8");
  const { depth, values } = measure(body);
  if (depth > maxDepth) throw new ServiceError("invalid", `The body is nested deeper than ${maxDepth} levels.`);
  if (values > maxValues) throw new ServiceError("too_large", `The body holds more than ${maxValues} values.`);
  const text = body.toString();
  if (text.trim() === "") return undefined;
  const value = parse(text);
  if (holdsSealed(text, value)) throw looksEncrypted("body");
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ServiceError("malformed", "Malformed JSON in request body");
  }
}

/** Throws if a query string contains a text that looks encrypted. Call it in routes that store values of the query string. */
export function refuseSealedQuery(query: unknown): void {
  if (looksSealed(JSON.stringify(query))) throw looksEncrypted("query string");
}

const looksEncrypted = (place: string) =>
  new ServiceError("invalid", `The ${place} contains a text that looks like an encrypted value of this service.`);

/**
 * Tells whether a body contains a text that looks like an encrypted value. If such a text were stored, its row could no longer be
 * decrypted.
 */
const holdsSealed = (text: string, value: unknown): boolean =>
  looksSealed(text) || (/\\u00[2-7]/i.test(text) && looksSealed(JSON.stringify(value)));

/**
 * Returns the deepest nesting of brackets, and an upper bound for the number of values. It works on the unparsed body and counts bytes
 * outside strings. This is correct in UTF-8, because the bytes of brackets and quotes occur in no other character.
 */
function measure(body: Buffer): { depth: number; values: number } {
  let depth = 0;
  let deepest = 0;
  let values = 1;
  let inString = false;
  for (let index = 0; index < body.length; index++) {
    const byte = body[index];
    if (inString) {
      if (byte === 0x5c) index++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x2c) values++;
    else if (byte === 0x7b || byte === 0x5b) {
      values++;
      deepest = Math.max(deepest, ++depth);
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return { depth: deepest, values };
}
