import type { FastifyRequest } from "fastify";
import { AuthRefusal } from "../../auth/auth.ts";
import { isEverything } from "../../db/scope.ts";

/** Refuses a caller who may not search all threads. It guards answers that are about the whole service. */
export async function requireEverything(request: FastifyRequest, sentence: string): Promise<void> {
  const { scope } = await request.access("threads:search", {});
  if (!isEverything(scope)) throw new AuthRefusal(403, sentence);
}
