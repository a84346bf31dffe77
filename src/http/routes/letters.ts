import type { FastifyReply } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { inBoth, type Scope } from "../../db/scope.ts";
import { transaction } from "../../db/sql.ts";
import { ServiceError } from "../../errors.ts";
import { type Choice, discardLetters, type Edit, graphsOfLetters, hasAnyLetter, redriveLetters } from "../../letters/change-letters.ts";
import { LetterKind, LetterState, letterTopic } from "../../letters/letter.ts";
import { getLetter, letterNotFound, searchLetters } from "../../letters/search-letters.ts";
import { webhookTopic } from "../../webhooks/webhooks.ts";
import { access, scopeOrNone } from "../admission/access.ts";
import { refuseIssues } from "../answers/issues.ts";
import { sendPage } from "../answers/lists.ts";
import type { ApiDeps } from "../api-deps.ts";
import { readWithin } from "../memory.ts";
import type { RequestOf } from "../route.ts";
import { findCallIssues } from "../runs/call-issues.ts";
import { DeadLetter, WholeLetter } from "../schemas/letter-schemas.ts";
import { answers, Id, Limit, Offset, Text, Time } from "../schemas.ts";

const filter = {
  kind: LetterKind.optional(),
  graph: Text.optional().describe("the id of a graph"),
  since: Time.optional().describe("letters whose last failure is not before this time"),
};
const Chosen = z.object({
  ids: z.array(Id).min(1).max(1_000).nullish(),
  filter: z.strictObject(filter).nullish().describe("{} matches all dead letters that the caller may see"),
});
const Ids = answers(z.object({ ids: z.array(Id).describe("the letters that were dead and have changed") }));

const searchSchema = {
  querystring: z.object({ ...filter, state: LetterState.optional(), limit: Limit, offset: Offset }),
  response: answers(z.array(DeadLetter)),
};
const getSchema = { params: z.object({ letterId: Id }), response: answers(WholeLetter) };
const redriveSchema = {
  body: Chosen.extend({
    edit: z.unknown().optional().describe("an input that replaces that of the letters"),
    parallel: z.number().int().min(1).max(1_000).default(10).describe("how many of the runs may be open at once"),
  }),
  response: Ids,
};
const discardSchema = { body: Chosen, response: Ids };

/** Lists dead letters, and redrives or discards them. Workers create the runs of a redrive. */
export const letterRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, deps) => {
  app.get("/dead-letters", { schema: searchSchema, config: access("threads:search") }, (request, reply) => search(deps, request, reply));
  app.get("/dead-letters/:letterId", { schema: getSchema, config: access("threads:read") }, async (request, reply) => {
    const { letterId } = request.params;
    const { scope } = await request.access("threads:read", { metadata: { dead_letter_id: letterId } });
    return reply.send(await getLetter(deps.pool, scope, letterId));
  });
  app.post(
    "/dead-letters/redrive",
    { schema: redriveSchema, config: access("threads:update", "threads:create_run", "assistants:read") },
    (request, reply) => redrive(deps, request, reply),
  );
  app.post("/dead-letters/discard", { schema: discardSchema, config: access("threads:update") }, (request, reply) =>
    discard(deps, request, reply),
  );
};

async function search({ pool, memory }: ApiDeps, request: RequestOf<typeof searchSchema>, reply: FastifyReply) {
  const { scope, value: query } = await request.access("threads:search", { ...request.query });
  return sendPage(reply, await readWithin(memory, reply, (bytes) => searchLetters(pool, scope, { ...query, bytes })), query);
}

async function redrive(deps: ApiDeps, request: RequestOf<typeof redriveSchema>, reply: FastifyReply) {
  const { edit: input, parallel } = request.body;
  const choice = choiceIn(request.body);
  const isEdited = input !== undefined && input !== null;
  if (isEdited && "filter" in choice && choice.filter.kind === "webhook")
    throw new ServiceError("invalid", "edit: a webhook has no input. Leave edit out, or redrive letters of another kind.");
  const { scope: changeable } = await request.access("threads:update", { metadata: namesOf(choice) });
  const { scope: runnable, value } = await request.access("threads:create_run", {
    ...{ status: "pending", multitask_strategy: "enqueue", metadata: {} as Record<string, unknown> },
    kwargs: isEdited ? { input } : {},
  });
  const scope = inBoth(changeable, runnable);
  if ("ids" in choice && !(await hasAnyLetter(deps.pool, scope, choice.ids))) throw letterNotFound();
  const edit: Edit | undefined = isEdited
    ? {
        ...{ input: value.kwargs?.input ?? input, user: request.user, metadata: value.metadata ?? {} },
        assistants: await scopeOrNone(request, "assistants:read", {}),
      }
    : undefined;
  if (edit) await refuseInput(deps, scope, choice, edit.input);
  const by = request.user?.identity ?? null;
  const ids = await transaction(deps.pool, (tx) => redriveLetters(tx, scope, choice, { parallel, by, edit }));
  deps.wakeups.notify(letterTopic, webhookTopic);
  return reply.send({ ids });
}

/** Throws if the new input, which replaces the input of all chosen letters, is invalid for the graph of one of them. */
async function refuseInput({ pool, registry }: ApiDeps, scope: Scope, choice: Choice, input: unknown): Promise<void> {
  for (const graphId of await graphsOfLetters(pool, scope, choice)) {
    if (!registry.graphIds.includes(graphId)) continue; // only the workers have this graph, so they check the input
    const issues = await findCallIssues(pool, registry, graphId, { input });
    refuseIssues(issues.map((issue) => ({ ...issue, path: ["edit", ...issue.path.slice(1)] })));
  }
}

async function discard({ pool }: ApiDeps, request: RequestOf<typeof discardSchema>, reply: FastifyReply) {
  const choice = choiceIn(request.body);
  const { scope } = await request.access("threads:update", { metadata: namesOf(choice) });
  if ("ids" in choice && !(await hasAnyLetter(pool, scope, choice.ids))) throw letterNotFound();
  const by = request.user?.identity ?? null;
  return reply.send({ ids: await transaction(pool, (tx) => discardLetters(tx, scope, choice, by)) });
}

function choiceIn({ ids, filter }: z.output<typeof Chosen>): Choice {
  if (ids && !filter) return { ids };
  if (filter && !ids) return { filter };
  throw new ServiceError("invalid", "Give either ids or filter. The filter {} matches all dead letters.");
}

const namesOf = (choice: Choice) => ("ids" in choice ? { dead_letter_ids: choice.ids } : {});
