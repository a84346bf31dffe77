import type { FastifyRequest } from "fastify";
import { ServiceError } from "../../errors.ts";
import type { IdempotentRequest } from "../../runs/idempotency.ts";

const wellFormed = /^[\x21-\x7e]{1,255}$/;

/**
 * Returns the request's Idempotency-Key, together with the content that a retry with this key must repeat: the thread and the body. The
 * rest of the path may differ, so that a retry can use another route, such as one that streams the run.
 */
export function idempotent({ headers, params, body, user }: FastifyRequest): IdempotentRequest | undefined {
  const key = headers["idempotency-key"];
  if (key === undefined) return undefined;
  if (typeof key !== "string" || !wellFormed.test(key)) {
    throw new ServiceError("invalid", "headers.idempotency-key: must be 1 to 255 visible ASCII characters.");
  }
  return { key, identity: user?.identity, request: { params, body } };
}
