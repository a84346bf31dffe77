import type { FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { toAssistantId } from "../../assistants/assistants.ts";
import { type CronPayload, runOfCron } from "../../crons/cron.ts";
import {
  type AskedCron,
  countCrons,
  createCron,
  deleteCron,
  type PlannedChange,
  planChange,
  searchCrons,
  updateCron,
} from "../../crons/crons.ts";
import { newId } from "../../db/ids.ts";
import { transaction } from "../../db/sql.ts";
import type { NewRun } from "../../runs/create.ts";
import { access } from "../access.ts";
import type { ApiDeps } from "../api-deps.ts";
import { CronCreate, CronPatch, toNewCron, toPatch } from "../cron-request.ts";
import { sendPage } from "../lists.ts";
import { readWithin } from "../memory.ts";
import { admitRun, runDecisions } from "../run-access.ts";
import { refuseWebhook, runCheck } from "../run-check.ts";
import { answers, Cron, Id, Json, Limit, Offset, SortOrder, Text, ThreadParams } from "../schemas.ts";

const CronParams = z.object({ cronId: Id });
const Filter = {
  assistant_id: Text.optional(),
  thread_id: Id.optional(),
  enabled: z.boolean().optional(),
  metadata: Json.optional(),
};
/** `now` is among the SDK's fields; a cron of ours has none. */
const Selectable = z.enum([...Cron.keyof().options, "now"]);

/** What a run and a cron's payload have in common, where the handler has changed it. */
function changedFields(before: NewRun["kwargs"], after: NewRun["kwargs"]): Partial<CronPayload> {
  const fields = ["input", "config", "context", "webhook", "interrupt_before", "interrupt_after", "stream_mode", "durability"] as const;
  const changed = fields.filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]));
  return Object.fromEntries(changed.map((field) => [field, after[field]]));
}

const creates = access("crons:create", ...runDecisions);

/** Runs by the clock: crons on threads and without, changed, listed, deleted. Workers fire them. */
export const cronRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, { pool, registry, settings, webhookRules, memory }) => {
  const rules = { check: runCheck(registry), retention: settings };

  const allowed = <Body extends { webhook?: unknown }>(body: Body): Body =>
    settings.sendsWebhooks || body.webhook === undefined ? body : { ...body, webhook: null };

  /** Asks whether the caller may make the runs of a cron. What the project's handler changes of a run, it changes of all of them. */
  async function admit<C extends AskedCron>(request: FastifyRequest, cron: C) {
    const asked = runOfCron(cron, settings);
    const before = JSON.stringify(asked.kwargs);
    const { caller, run } = await admitRun(request, asked);
    const { cron_id, ...metadata } = run.metadata;
    return { caller, cron: { ...cron, metadata, payload: { ...cron.payload, ...changedFields(JSON.parse(before), run.kwargs) } } };
  }

  /** The same for a change. Whoever only says when a cron runs leaves what it runs as its maker's handler left it. */
  async function admitChange(request: FastifyRequest, { after, ordersRuns, saysWhatRuns }: PlannedChange) {
    if (!ordersRuns) return { caller: undefined, after };
    const { caller, cron } = await admit(request, after);
    return { caller, after: saysWhatRuns ? cron : after };
  }

  /** Whoever makes a cron orders runs: they are asked for both. */
  async function create(request: FastifyRequest, body: z.output<typeof CronCreate>, threadId: string | null) {
    refuseWebhook(webhookRules, body.webhook);
    const asked = { ...toNewCron(allowed(body), threadId), cron_id: newId(), user_id: request.user?.identity };
    const assistantId = toAssistantId(asked.assistant_id);
    const { value } = await request.access("crons:create", { ...asked, assistant_id: assistantId });
    const named = value.assistant_id === assistantId ? { ...value, assistant_id: asked.assistant_id } : value; // as refusals are to name it
    const { caller, cron } = await admit(request, named);
    return transaction(pool, (tx) => createCron(tx, caller, cron, rules));
  }

  app.post("/runs/crons", { schema: { body: CronCreate, response: answers(Cron) }, config: creates }, async (request, reply) =>
    reply.send(await create(request, request.body, null)),
  );

  app.post(
    "/threads/:threadId/runs/crons",
    { schema: { params: ThreadParams, body: CronCreate, response: answers(Cron) }, config: creates },
    async (request, reply) => reply.send(await create(request, request.body, request.params.threadId)),
  );

  app.patch(
    "/runs/crons/:cronId",
    { schema: { params: CronParams, body: CronPatch, response: answers(Cron) }, config: access("crons:update", ...runDecisions) },
    async (request, reply) => {
      refuseWebhook(webhookRules, request.body.webhook);
      const { scope, value } = await request.access("crons:update", { ...toPatch(allowed(request.body)), cron_id: request.params.cronId });
      const { cron_id: cronId, ...patch } = value;
      const change = await planChange(pool, scope, cronId, patch);
      const { caller, after } = await admitChange(request, change);
      return reply.send(await transaction(pool, (tx) => updateCron(tx, scope, caller, { ...change, after }, rules)));
    },
  );

  app.delete("/runs/crons/:cronId", { schema: { params: CronParams }, config: access("crons:delete") }, async (request, reply) => {
    const { scope, value } = await request.access("crons:delete", { cron_id: request.params.cronId });
    await deleteCron(pool, scope, value.cron_id);
    return reply.code(204).send();
  });

  app.post(
    "/runs/crons/search",
    {
      schema: {
        body: z.object({
          ...Filter,
          limit: Limit,
          offset: Offset,
          sort_by: z.enum(["cron_id", "assistant_id", "thread_id", "created_at", "updated_at", "next_run_date"]).optional(),
          sort_order: SortOrder,
          select: z.array(Selectable).optional(),
        }),
        response: answers(z.array(Cron)),
      },
      config: access("crons:search"),
    },
    async (request, reply) => {
      const { scope, value: search } = await request.access("crons:search", { ...request.body });
      return sendPage(reply, await readWithin(memory, reply, (bytes) => searchCrons(pool, scope, { ...search, bytes })), search);
    },
  );

  app.post(
    "/runs/crons/count",
    { schema: { body: z.object(Filter), response: answers(z.number()) }, config: access("crons:search") },
    async (request, reply) => {
      const { scope, value: filter } = await request.access("crons:search", { ...request.body });
      return reply.send(await countCrons(pool, scope, filter));
    },
  );
};
