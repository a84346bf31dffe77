import type { FastifyReply, FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { toAssistantId } from "../../assistants/assistants.ts";
import { type CronPayload, runOfCron } from "../../crons/cron.ts";
import {
  type AskedCron,
  countCrons,
  createCron,
  deleteCron,
  getCron,
  type PlannedChange,
  planChange,
  searchCrons,
  updateCron,
} from "../../crons/crons.ts";
import { newId } from "../../db/ids.ts";
import { transaction } from "../../db/sql.ts";
import type { NewRun } from "../../runs/create.ts";
import { access } from "../admission/access.ts";
import { admitRun, runDecisions } from "../admission/run-access.ts";
import { sendPage } from "../answers/lists.ts";
import type { ApiDeps } from "../api-deps.ts";
import { readWithin } from "../memory.ts";
import type { RequestOf } from "../route.ts";
import { CronCreate, CronPatch, toNewCron, toPatch } from "../runs/cron-request.ts";
import { refuseWebhook, runCheck } from "../runs/run-check.ts";
import { answers, Cron, Id, Json, Limit, Offset, SortOrder, Text, ThreadParams } from "../schemas.ts";

const CronParams = z.object({ cronId: Id });
const Filter = {
  assistant_id: Text.optional(),
  thread_id: Id.optional(),
  enabled: z.boolean().optional(),
  metadata: Json.optional(),
};
/** The fields that a search can select. `now` is accepted because the SDK requests it, but our crons have no such field. */
const Selectable = z.enum([...Cron.keyof().options, "now"]);

const createSchema = { body: CronCreate, response: answers(Cron) };
const createOnThreadSchema = { params: ThreadParams, body: CronCreate, response: answers(Cron) };
const patchSchema = { params: CronParams, body: CronPatch, response: answers(Cron) };
const getSchema = { params: CronParams, response: answers(Cron) };
const deleteSchema = { params: CronParams };
const searchSchema = {
  body: z.object({
    ...Filter,
    limit: Limit,
    offset: Offset,
    sort_by: z.enum(["cron_id", "assistant_id", "thread_id", "created_at", "updated_at", "next_run_date", "end_time"]).optional(),
    sort_order: SortOrder,
    select: z.array(Selectable).optional(),
  }),
  response: answers(z.array(Cron)),
};
const countSchema = { body: z.object(Filter), response: answers(z.number()) };

const creates = access("crons:create", ...runDecisions);
const updates = access("crons:update", ...runDecisions);
const searches = access("crons:search");

/** Creates, changes, lists and deletes crons, with or without a thread. Workers create the runs of the crons. */
export const cronRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, deps) => {
  app.post("/runs/crons", { schema: createSchema, config: creates }, async (request, reply) =>
    reply.send(await create(deps, request, { body: request.body, threadId: null })),
  );
  app.post("/threads/:threadId/runs/crons", { schema: createOnThreadSchema, config: creates }, async (request, reply) =>
    reply.send(await create(deps, request, { body: request.body, threadId: request.params.threadId })),
  );
  app.get("/runs/crons/:cronId", { schema: getSchema, config: access("crons:read") }, async (request, reply) => {
    const { scope, value } = await request.access("crons:read", { cron_id: request.params.cronId });
    return reply.send(await getCron(deps.pool, scope, value.cron_id));
  });
  app.patch("/runs/crons/:cronId", { schema: patchSchema, config: updates }, (request, reply) => patch(deps, request, reply));
  app.delete("/runs/crons/:cronId", { schema: deleteSchema, config: access("crons:delete") }, (request, reply) =>
    remove(deps, request, reply),
  );
  app.post("/runs/crons/search", { schema: searchSchema, config: searches }, (request, reply) => search(deps, request, reply));
  app.post("/runs/crons/count", { schema: countSchema, config: searches }, (request, reply) => count(deps, request, reply));
};

interface CronRequest {
  body: z.output<typeof CronCreate>;
  /** The thread on which the cron's runs execute. Null if each run gets a new thread of its own. */
  threadId: string | null;
}

/** Creates a cron. The caller must be allowed to create both the cron and the cron's runs. */
async function create(deps: ApiDeps, request: FastifyRequest, { body, threadId }: CronRequest) {
  refuseWebhook(deps.webhookRules, body.webhook);
  const asked = { ...toNewCron(withAllowedWebhook(deps, body), threadId), cron_id: newId(), user_id: request.user?.identity };
  const assistantId = toAssistantId(asked.assistant_id);
  const { value } = await request.access("crons:create", { ...asked, assistant_id: assistantId });
  // Errors name the assistant by the id or name that the caller sent.
  const named = value.assistant_id === assistantId ? { ...value, assistant_id: asked.assistant_id } : value;
  const { caller, cron } = await admit(deps, request, named);
  return transaction(deps.pool, (tx) => createCron(tx, caller, cron, rulesOf(deps)));
}

async function patch(deps: ApiDeps, request: RequestOf<typeof patchSchema>, reply: FastifyReply) {
  const { pool, webhookRules } = deps;
  const { body, params } = request;
  refuseWebhook(webhookRules, body.webhook);
  const asked = { ...toPatch(withAllowedWebhook(deps, body)), cron_id: params.cronId };
  const { scope, value } = await request.access("crons:update", asked);
  const { cron_id: cronId, ...fields } = value;
  const change = await planChange(pool, scope, cronId, fields);
  const { caller, after } = await admitChange(deps, request, change);
  return reply.send(await transaction(pool, (tx) => updateCron(tx, scope, caller, { ...change, after }, rulesOf(deps))));
}

const rulesOf = ({ registry, settings }: ApiDeps) => ({ check: runCheck(registry), retention: settings });

/**
 * Returns the body with `webhook: null` if this service sends no webhooks. Otherwise, and for a body without a webhook, returns the body
 * unchanged.
 */
const withAllowedWebhook = <Body extends { webhook?: unknown }>({ settings }: ApiDeps, body: Body): Body =>
  settings.sendsWebhooks || body.webhook === undefined ? body : { ...body, webhook: null };

/**
 * Asks the project's auth handler whether the caller may create the runs of a cron. The handler may change the run that it gets. These
 * changes are stored in the cron, so they apply to all of its runs.
 */
async function admit<C extends AskedCron>({ settings }: ApiDeps, request: FastifyRequest, cron: C) {
  const asked = runOfCron(cron, settings);
  const before = JSON.stringify(asked.kwargs);
  const { caller, run } = await admitRun(request, asked);
  const { cron_id, ...metadata } = run.metadata;
  return { caller, cron: { ...cron, metadata, payload: { ...cron.payload, ...changedFields(JSON.parse(before), run.kwargs) } } };
}

/**
 * Asks auth whether the caller may create the runs of the changed cron. Does not ask if the cron stays disabled and its runs do not change.
 * If only the schedule changes, changes that the auth handler makes to the run are not stored.
 */
async function admitChange(deps: ApiDeps, request: FastifyRequest, { after, ordersRuns, saysWhatRuns }: PlannedChange) {
  if (!ordersRuns) return { caller: undefined, after };
  const { caller, cron } = await admit(deps, request, after);
  return { caller, after: saysWhatRuns ? cron : after };
}

/** Returns the fields of a cron's payload that the auth handler has changed. */
function changedFields(before: NewRun["kwargs"], after: NewRun["kwargs"]): Partial<CronPayload> {
  const fields = ["input", "config", "context", "webhook", "interrupt_before", "interrupt_after", "stream_mode", "durability"] as const;
  const changed = fields.filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]));
  return Object.fromEntries(changed.map((field) => [field, after[field]]));
}

async function remove({ pool }: ApiDeps, request: RequestOf<typeof deleteSchema>, reply: FastifyReply) {
  const { scope, value } = await request.access("crons:delete", { cron_id: request.params.cronId });
  await deleteCron(pool, scope, value.cron_id);
  return reply.code(204).send();
}

async function search({ pool, memory }: ApiDeps, request: RequestOf<typeof searchSchema>, reply: FastifyReply) {
  const { scope, value: query } = await request.access("crons:search", { ...request.body });
  return sendPage(reply, await readWithin(memory, reply, (bytes) => searchCrons(pool, scope, { ...query, bytes })), query);
}

async function count({ pool }: ApiDeps, request: RequestOf<typeof countSchema>, reply: FastifyReply) {
  const { scope, value: filter } = await request.access("crons:search", { ...request.body });
  return reply.send(await countCrons(pool, scope, filter));
}
