import type { FastifyRequest } from "fastify";
import { ServiceError } from "../../errors.ts";
import type { IdempotentRequest } from "../../runs/idempotency.ts";

const wellFormed = /^[\x21-\x7e]{1,255}$/;

/**
 * Returns the request's Idempotency-Key, and the content that is compared for this key: the thread and the body. The path is not compared,
 * so a retry may use another route, for example one that streams the run.
 */
export function idempotent({ headers, params, body, user }: FastifyRequest): IdempotentRequest | undefined {
  const key = headers["idempotency-key"];
  if (key === undefined) return undefined;
  if (typeof key !== "string" || !wellFormed.test(key)) {
    throw new ServiceError("invalid", "headers.idempotency-key: must be 1 to 255 visible ASCII characters.");
  }
  return { key, identity: user?.identity, request: { params, body } };
}
