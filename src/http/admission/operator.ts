import type { FastifyRequest } from "fastify";
import { type AuthEvent, AuthRefusal } from "../../auth/auth.ts";
import { isEverything } from "../../db/scope.ts";

/**
 * Refuses a caller who may not perform the action on all threads. It guards answers and actions that are about the whole service. By
 * default, the action is to search threads.
 */
export async function requireEverything(request: FastifyRequest, sentence: string, event: AuthEvent = "threads:search"): Promise<void> {
  const { scope } = await request.access(event, {});
  if (!isEverything(scope)) throw new AuthRefusal(403, sentence);
}
