import type { FastifyReply } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { RunStatus } from "../../runs/run.ts";
import { searchRuns } from "../../runs/search-runs.ts";
import { access } from "../admission/access.ts";
import { sendPage } from "../answers/lists.ts";
import type { ApiDeps } from "../api-deps.ts";
import { readWithin } from "../memory.ts";
import type { RequestOf } from "../route.ts";
import { answers, FoundRun, Id, Json, Limit, Offset, OneOrMore, SortOrder, Text, Time } from "../schemas.ts";

const searchSchema = {
  body: z.object({
    status: OneOrMore(RunStatus).optional(),
    graph_id: Text.optional(),
    assistant_id: Text.optional().describe("an assistant's id, or a graph's id for its default assistant"),
    thread_id: Id.optional(),
    metadata: Json.optional(),
    error: Text.min(1).max(1_000).optional().describe("text that the run's error contains, in upper or lower case"),
    created_since: Time.optional(),
    created_until: Time.optional().describe("runs that were created before this time"),
    updated_since: Time.optional(),
    updated_until: Time.optional().describe("runs that changed last before this time"),
    limit: Limit,
    offset: Offset,
    sort_by: z.enum(["created_at", "updated_at"]).optional(),
    sort_order: SortOrder,
    select: z.array(FoundRun.keyof()).optional(),
    exact: z.boolean().optional().describe("counts all runs. By default, a total above 10,000 is an estimate"),
  }),
  response: answers(z.array(FoundRun)),
};

/** Searches the runs of all threads that the caller may read. */
export const runSearchRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, deps) => {
  app.post("/runs/search", { schema: searchSchema, config: access("threads:search") }, (request, reply) => search(deps, request, reply));
};

async function search({ pool, memory }: ApiDeps, request: RequestOf<typeof searchSchema>, reply: FastifyReply) {
  const { scope, value: query } = await request.access("threads:search", { ...request.body });
  return sendPage(reply, await readWithin(memory, reply, (bytes) => searchRuns(pool, scope, { ...query, bytes })), query);
}
