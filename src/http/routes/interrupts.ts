import type { FastifyReply } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { searchQuestions } from "../../runs/search-questions.ts";
import { access } from "../admission/access.ts";
import { sendPage } from "../answers/lists.ts";
import type { ApiDeps } from "../api-deps.ts";
import { readWithin } from "../memory.ts";
import type { RequestOf } from "../route.ts";
import { answers, FoundInterrupt, Id, Limit, Offset, SortOrder, Text, Time } from "../schemas.ts";

const searchSchema = {
  body: z.object({
    graph_id: Text.optional(),
    assistant_id: Text.optional().describe("an assistant's id, or a graph's id for its default assistant"),
    thread_id: Id.optional(),
    created_since: Time.optional(),
    created_until: Time.optional().describe("questions that were asked before this time"),
    deadline_since: Time.optional(),
    deadline_until: Time.optional().describe("questions whose deadline is before this time"),
    limit: Limit,
    offset: Offset,
    sort_by: z.enum(["created_at", "deadline"]).optional().describe("with deadline, only questions that have one are found"),
    sort_order: SortOrder,
    select: z.array(FoundInterrupt.keyof()).optional(),
    exact: z.boolean().optional().describe("counts all questions. By default, a total above 10,000 is an estimate"),
  }),
  response: answers(z.array(FoundInterrupt)),
};

/** Searches the open questions of all threads that the caller may read. */
export const interruptRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, deps) => {
  app.post("/interrupts/search", { schema: searchSchema, config: access("threads:search") }, (request, reply) =>
    search(deps, request, reply),
  );
};

async function search({ pool, memory }: ApiDeps, request: RequestOf<typeof searchSchema>, reply: FastifyReply) {
  const { scope, value: query } = await request.access("threads:search", { ...request.body });
  return sendPage(reply, await readWithin(memory, reply, (bytes) => searchQuestions(pool, scope, { ...query, bytes })), query);
}
