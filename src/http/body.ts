import { isUtf8 } from "node:buffer";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ServiceError } from "../errors.ts";
import type { AllowedOrigins } from "./cors.ts";
import { isForeign, quote } from "./gate.ts";

/** Deeper documents are refused: the recursive readers behind us, Postgres among them, have a stack that ends. */
const maxDepth = 500;

/**
 * Bodies are JSON whatever their content type says, as the official server takes them; none at all is an empty object, because the
 * SDK sends some requests without one.
 */
export function acceptJsonBodies(app: FastifyInstance, origins: AllowedOrigins): void {
  app.removeAllContentTypeParsers();
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
  const text = body.toString();
  if (text.trim() === "") return undefined;
  if (nestingDepth(text) > maxDepth) throw new ServiceError("invalid", `The body is nested deeper than ${maxDepth} levels.`);
  try {
    return JSON.parse(text);
  } catch {
    throw new ServiceError("malformed", "Malformed JSON in request body");
  }
}

/** How deep brackets nest outside strings. A scan, because a recursive one would be what it protects from. */
function nestingDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const char = text.charCodeAt(index);
    if (inString) {
      if (char === 0x5c) index++;
      else if (char === 0x22) inString = false;
    } else if (char === 0x22) inString = true;
    else if (char === 0x7b || char === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (char === 0x7d || char === 0x5d) depth--;
  }
  return deepest;
}
