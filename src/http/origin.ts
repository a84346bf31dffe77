import type { FastifyRequest } from "fastify";

/**
 * Returns the address under which the client reached this service, with the path prefix of all routes. A proxy in front of the service
 * reports the scheme in a header.
 */
export function originOf({ headers, host }: FastifyRequest, mountedAt: string): string {
  const scheme = headers["x-forwarded-proto"] === "https" ? "https" : "http";
  return `${scheme}://${host}${mountedAt}`;
}
