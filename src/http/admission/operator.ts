import type { FastifyRequest } from "fastify";
import { type AuthEvent, AuthRefusal } from "../../auth/auth.ts";
import { isEverything } from "../../db/scope.ts";

/**
 * Refuses a caller who may not perform the action on all rows. Use it for responses and actions that concern the whole service. The default
 * action is to search threads.
 */
export async function requireEverything(request: FastifyRequest, sentence: string, event: AuthEvent = "threads:search"): Promise<void> {
  const { scope } = await request.access(event, {});
  if (!isEverything(scope)) throw new AuthRefusal(403, sentence);
}
