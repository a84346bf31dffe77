import type { FastifyReply, FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { bytesOfAssistants } from "../../assistants/assistants.ts";
import { type Db, transaction } from "../../db/sql.ts";
import { runNotFound, ServiceError } from "../../errors.ts";
import { createRun, type NewRun } from "../../runs/create.ts";
import { onceForKey } from "../../runs/idempotency.ts";
import { makeSurely } from "../../runs/make-surely.ts";
import { listRuns } from "../../runs/read.ts";
import { cancelTopic, claimTopic, endTopic, type Run as RunRow } from "../../runs/run.ts";
import { sharedRunWriter } from "../../runs/run-writer.ts";
import { getThread } from "../../threads/threads.ts";
import { access, alreadyDecided } from "../access.ts";
import type { ApiDeps } from "../api-deps.ts";
import { streamRun, waitForRun } from "../follow.ts";
import { idempotent } from "../idempotency.ts";
import { selectFields, sendTexts } from "../lists.ts";
import { holdMemory, lightBytes, readWithin } from "../memory.ts";
import { type StreamCounts, takePlace } from "../places.ts";
import { ownRequest } from "../recheck.ts";
import { admitRun, runDecisions } from "../run-access.ts";
import { refuseWebhook, runCheck } from "../run-check.ts";
import { BatchCreate, RunCreate, type RunCreateBody, toNewRun } from "../run-request.ts";
import { answers, Limit, Offset, OneOrMore, Run, streams, ThreadParams } from "../schemas.ts";

const Status = z.enum(["pending", "running", "success", "error", "timeout", "interrupted"]);

/** Memory per byte of a batch: the document, the statement, the answer, and the answer's text. */
const weightOfByte = 4;

const creates = access(...runDecisions);

/** Under which path the runs of a request are told. */
const baseOf = (threadId: string | undefined) => (threadId === undefined ? "" : `/threads/${threadId}`);

/** Creating runs, on threads and without, and listing them. */
export const runRoutes: FastifyPluginAsyncZod<ApiDeps & { counts: StreamCounts }> = async (app, deps) => {
  const { pool, registry, wakeups, settings, counts, webhookRules, memory } = deps;
  const writer = sharedRunWriter(pool);

  /** Makes runs in one transaction, all or none; with an Idempotency-Key, once. */
  async function createAll(request: FastifyRequest, wanted: NewRun[]): Promise<RunRow[]> {
    const isBatch = Array.isArray(request.body);
    for (const [index, { kwargs }] of wanted.entries()) refuseWebhook(webhookRules, kwargs.webhook, isBatch ? ["body", index] : ["body"]);
    const admitted = await admitAll(request, wanted);
    const key = idempotent(request);
    const make = async (tx: Db) => {
      const made: RunRow[] = [];
      let bytes = 0;
      for (const [index, { caller, run }] of admitted.entries()) {
        const check = runCheck(registry, wanted.length > 1 ? index : undefined);
        made.push(await createRun(tx, caller, run, check, tx === pool ? writer : undefined));
        if (isBatch) bytes = refuseLargeBatch(bytes + JSON.stringify(made.at(-1)).length);
      }
      return made;
    };
    const isOneStatement = !key && wanted.length === 1 && wanted[0]?.threadId === undefined;
    const makeAll = () => (isOneStatement ? make(pool) : transaction(pool, (tx) => onceForKey(tx, key, () => make(tx))));
    const ids = wanted.map(({ runId }) => runId);
    const runs = await makeSurely(pool, ids, makeAll, { inTransaction: !isOneStatement });
    // Committed: from here on no error may leave as a 5xx, or the SDK would send the request again.
    const displaces = wanted.some(({ multitaskStrategy }) => multitaskStrategy === "interrupt" || multitaskStrategy === "rollback");
    wakeups.tell(claimTopic, ...(displaces ? [cancelTopic] : []));
    return runs;
  }

  /** Each run of a batch is answered with its assistant's config, which may be large: what cannot be answered may not be committed. */
  function refuseLargeBatch(bytes: number): number {
    const most = 2 * settings.bodyLimitBytes;
    if (bytes <= most) return bytes;
    const megabytes = Math.floor(most / 1024 / 1024);
    throw new ServiceError(
      "too_large",
      `The runs of this batch hold more than ${megabytes} MB, with their assistants' configs and metadata. Send fewer runs at once.`,
    );
  }

  async function admitAll(request: FastifyRequest, wanted: NewRun[]) {
    const admitted: Awaited<ReturnType<typeof admitRun>>[] = [];
    for (const one of wanted) admitted.push(await admitRun(request, one));
    return admitted;
  }

  async function create(request: FastifyRequest, wanted: NewRun): Promise<RunRow> {
    const [run] = await createAll(request, [wanted]);
    if (!run) throw runNotFound(); // the run of this Idempotency-Key has been deleted since
    return run;
  }

  const toRun = (request: FastifyRequest, body: RunCreateBody, threadId?: string) => toNewRun(body, threadId, request.headers, settings);

  /** Makes a run and streams it: it is waited for before it is made, so that no look is needed to miss nothing. */
  async function createAndStream(request: FastifyRequest, reply: FastifyReply, body: RunCreateBody, threadId?: string): Promise<void> {
    const wanted = toRun(request, body, threadId);
    // Before it is made, too: a run whose stream is refused would be made once more by whoever asks again.
    const leave = takePlace(counts, { of: "run", id: wanted.runId, user: request.user?.identity }, settings);
    const forget = deps.feed.expect(wanted.runId);
    try {
      await stream(reply, leave, await create(request, wanted), body, threadId);
    } finally {
      forget();
      leave();
    }
  }

  async function stream(reply: FastifyReply, leave: () => void, run: RunRow, body: RunCreateBody, threadId?: string): Promise<void> {
    const base = baseOf(threadId);
    const cancelOnDisconnect = body.on_disconnect === "cancel";
    reply.header("content-location", `${base}/runs/${run.run_id}`);
    // By this header the SDK comes back after a broken line; a run that is cancelled with its line has nothing to come back to.
    if (!cancelOnDisconnect) reply.header("location", `${base}/runs/${run.run_id}/stream`);
    await streamRun(deps, leave, reply, {
      scope: alreadyDecided,
      runId: run.run_id,
      threadId: run.thread_id,
      after: -1,
      cancelScope: cancelOnDisconnect ? alreadyDecided : undefined,
      followed: ownRequest,
    });
  }

  /** Makes a run and waits for it; its end is listened for before it is made. */
  async function createAndWait(request: FastifyRequest, reply: FastifyReply, body: RunCreateBody, threadId?: string): Promise<void> {
    const wanted = toRun(request, body, threadId);
    const left = new AbortController();
    const firstWord = wakeups.next(endTopic(wanted.runId), 1_000, left.signal);
    const run = await create(request, wanted).catch((error) => {
      left.abort();
      throw error;
    });
    reply.header("content-location", `${baseOf(threadId)}/runs/${run.run_id}`);
    reply.header("location", `/threads/${run.thread_id}/runs/${run.run_id}/join`);
    const cancelScope = body.on_disconnect === "cancel" ? alreadyDecided : undefined;
    const place = { scope: alreadyDecided, runId: run.run_id, threadId: run.thread_id };
    // With an Idempotency-Key it may be an older run, of whose end nothing will be heard.
    const heard = run.run_id === wanted.runId ? firstWord : undefined;
    await waitForRun(deps, reply, { ...place, cancelScope, followed: ownRequest }, heard);
  }

  const onThread = { schema: { params: ThreadParams, body: RunCreate }, config: creates };

  app.post(
    "/threads/:threadId/runs",
    { schema: { ...onThread.schema, response: answers(Run) }, config: creates },
    async (request, reply) => {
      const run = await create(request, toRun(request, request.body, request.params.threadId));
      return reply.header("content-location", `/threads/${run.thread_id}/runs/${run.run_id}`).send(run);
    },
  );

  app.post(
    "/threads/:threadId/runs/stream",
    { schema: { ...onThread.schema, response: streams }, config: creates },
    async (request, reply) => createAndStream(request, reply, request.body, request.params.threadId),
  );

  app.post("/threads/:threadId/runs/wait", onThread, async (request, reply) =>
    createAndWait(request, reply, request.body, request.params.threadId),
  );

  app.post("/runs", { schema: { body: RunCreate, response: answers(Run) }, config: creates }, async (request, reply) => {
    const run = await create(request, toRun(request, request.body));
    return reply.header("content-location", `/runs/${run.run_id}`).send(run);
  });

  app.post("/runs/stream", { schema: { body: RunCreate, response: streams }, config: creates }, async (request, reply) =>
    createAndStream(request, reply, request.body),
  );

  app.post("/runs/wait", { schema: { body: RunCreate }, config: creates }, async (request, reply) =>
    createAndWait(request, reply, request.body),
  );

  app.post("/runs/batch", { schema: { body: BatchCreate, response: answers(z.array(Run)) }, config: creates }, async (request, reply) => {
    const wanted = request.body.map((body) => toNewRun(body, body.thread_id ?? undefined, request.headers, settings));
    // Before the transaction, which would hold a connection while it waits for memory.
    const bytes = await bytesOfAssistants(
      pool,
      wanted.map(({ assistantId }) => assistantId),
    );
    if (bytes > lightBytes) await holdMemory(memory, reply, weightOfByte * bytes);
    const runs = await createAll(request, wanted);
    return reply.send(runs);
  });

  app.get(
    "/threads/:threadId/runs",
    {
      schema: {
        params: ThreadParams,
        querystring: z.object({ limit: Limit, offset: Offset, status: Status.optional(), select: OneOrMore(Run.keyof()).optional() }),
        response: answers(z.array(Run)),
      },
      config: access("threads:search", "threads:read"),
    },
    async (request, reply) => {
      const { query } = request;
      const { threadId } = request.params;
      const thread = await request.access("threads:read", { thread_id: threadId });
      await getThread(pool, thread.scope, threadId);
      const { scope } = await request.access("threads:search", { thread_id: threadId, status: query.status });
      const { rows, isCut } = await readWithin(memory, reply, (bytes) => listRuns(pool, scope, threadId, { ...query, bytes }));
      if (isCut) reply.header("x-pagination-next", String(query.offset + rows.length));
      return sendTexts(
        reply,
        rows.map((run) => JSON.stringify(selectFields(run, query.select))),
      );
    },
  );
};
