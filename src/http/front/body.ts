import { isUtf8 } from "node:buffer";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ServiceError } from "../../errors.ts";
import { holdMemory, type Memory } from "../memory.ts";
import type { AllowedOrigins } from "./cors.ts";
import { isForeign, quote } from "./gate.ts";

/** Below it a body is not counted: there would have to be hundreds at once. */
const smallBody = 256 * 1024;
/** The assumed size of a body without a content-length. */
const unknownLength = 8 * 1024 * 1024;
/** Memory per byte of a body: the buffer, the text, and the parsed value. */
const weightOfByte = 4;
/** A value takes far more memory than the three bytes of `[],` that make one. */
const maxValues = 1_000_000;

/** Deeper documents are refused: the recursive readers behind us, Postgres among them, have a stack that ends. */
const maxDepth = 500;

/**
 * Bodies are JSON whatever their content type says, as the official server takes them; none at all is an empty object, because the
 * SDK sends some requests without one.
 */
export function acceptJsonBodies(app: FastifyInstance, origins: AllowedOrigins, memory: Memory): void {
  app.removeAllContentTypeParsers();
  // The memory that a large body takes is asked for before it is read, and given back when its request is answered.
  app.addHook("preParsing", async (request, reply) => {
    const { "content-length": length = 0, "transfer-encoding": encoding } = request.headers;
    const bytes = encoding === undefined ? Number(length) : unknownLength;
    if (bytes > smallBody) await holdMemory(memory, reply, weightOfByte * bytes);
  });
  app.addContentTypeParser("*", { parseAs: "buffer" }, async (request: FastifyRequest, body: string | Buffer) => {
    refuseUnasked(request, origins);
    return parseJson(body as Buffer);
  });
  app.addHook("preValidation", async (request) => {
    request.body ??= request.body === null ? null : {};
  });
}

/** Browsers ask before a page sends other types than these to another origin. */
const unaskedTypes = ["", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"];

/** Refuses a body that a foreign page can send without a preflight. */
function refuseUnasked({ headers }: FastifyRequest, origins: AllowedOrigins): void {
  const type = (headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (!isForeign(headers.origin, headers.host, origins) || !unaskedTypes.includes(type)) return;
  throw new ServiceError("unsupported", `Pages of the Origin ${quote(headers.origin)} must send JSON with content-type application/json.`);
}

/** Parses what a client sent; undefined when it is blank. Throws what is wrong with it. */
export function parseJson(body: Buffer): unknown {
  if (!isUtf8(body)) throw new ServiceError("malformed", "The request body is not UTF-8");
  const { depth, values } = measure(body);
  if (depth > maxDepth) throw new ServiceError("invalid", `The body is nested deeper than ${maxDepth} levels.`);
  if (values > maxValues) throw new ServiceError("too_large", `The body holds more than ${maxValues} values.`);
  const text = body.toString();
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new ServiceError("malformed", "Malformed JSON in request body");
  }
}

/**
 * Measures how deep brackets nest outside strings, and how many values there are at most. It scans bytes before anything is made of them:
 * in UTF-8 these characters are no part of others.
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
