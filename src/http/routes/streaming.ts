import type { FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { AuthRefusal } from "../../auth/auth.ts";
import type { Scope } from "../../db/scope.ts";
import { ServiceError } from "../../errors.ts";
import { getThread } from "../../threads/threads.ts";
import { access } from "../access.ts";
import type { ApiDeps } from "../api-deps.ts";
import { answerCommand, commandDecisions } from "../commands/answer.ts";
import { Command } from "../commands/command.ts";
import { type StreamCounts, takePlace } from "../places.ts";
import type { Followed } from "../recheck.ts";
import { answers, ThreadParams } from "../schemas.ts";
import { serveSocket } from "../socket.ts";
import { EventFilter, LastEventNumber, LastThreadEvent, ThreadStreamQuery } from "../streaming-request.ts";
import { streamThread, streamThreadRuns } from "../thread-streams.ts";
import { inSight, type Sight } from "../visible-thread.ts";

export interface StreamingDeps extends ApiDeps {
  counts: StreamCounts;
  /** Asks the whole service, the project's app in front of our routes included; undefined where there is none. */
  askFront: ((request: Request) => Promise<Response>) | undefined;
}

const Answer = z.looseObject({ type: z.enum(["success", "error"]), id: z.number().int().nullable() });
const threadStream = {
  200: { description: "The events of the thread's runs, without end.", content: { "text/event-stream": { schema: z.string() } } },
};

/** Event streaming: what happens on a thread, over all of its runs, and the commands by which it is made to happen. */
export const streamingRoutes: FastifyPluginAsyncZod<StreamingDeps> = async (app, { counts, askFront, ...deps }) => {
  const { pool } = deps;
  const enter = ({ user }: FastifyRequest, threadId: string) =>
    takePlace(counts, { of: "thread", id: threadId, user: user?.identity }, deps.settings);

  /** A thread that the caller may read now, and how it is asked later whether they still may. */
  async function toFollow(request: FastifyRequest, threadId: string): Promise<Followed> {
    const decide = async () => (await request.access("threads:read", { thread_id: threadId })).scope;
    const find = (scope: Scope) => getThread(pool, scope, threadId);
    await find(await decide());
    return { decide, find };
  }

  app.post(
    "/threads/:threadId/commands",
    { schema: { params: ThreadParams, body: Command, response: answers(Answer) }, config: access(...commandDecisions) },
    async (request, reply) => reply.send(await answerCommand(deps, request, request.params.threadId, request.body)),
  );

  app.post(
    "/threads/:threadId/stream/events",
    {
      schema: { params: ThreadParams, body: EventFilter, headers: LastEventNumber, response: threadStream },
      config: access("threads:read"),
    },
    async (request, reply) => {
      const { threadId } = request.params;
      const { since, ...filter } = request.body;
      const { scope: readable } = await request.access("threads:read", { thread_id: threadId });
      const sight: Sight = { readable, isSeen: false };
      const followed = inSight(deps, request, threadId, sight);
      const from = since ?? request.headers["last-event-id"] ?? 0;
      await streamThread(deps, enter(request, threadId), reply, { sight, threadId, since: from, filter, followed });
    },
  );

  app.get(
    "/threads/:threadId/stream",
    {
      schema: { params: ThreadParams, querystring: ThreadStreamQuery, headers: LastThreadEvent, response: threadStream },
      config: access("threads:read"),
    },
    async (request, reply) => {
      const { threadId } = request.params;
      const { stream_mode, stream_modes } = request.query;
      const followed = await toFollow(request, threadId);
      reply.header("location", request.url); // the SDK comes back here, and is to see the same
      const modes = stream_mode ?? stream_modes ?? ["run_modes" as const];
      const since = request.headers["last-event-id"];
      await streamThreadRuns(deps, enter(request, threadId), reply, { threadId, since, modes, followed });
    },
  );

  app.route({
    method: "GET",
    url: "/threads/:threadId/stream/events",
    schema: { params: ThreadParams, hide: true }, // OpenAPI has no words for sockets
    config: access(...commandDecisions),
    preValidation: async (request) => {
      if (askFront && request.ws) await refuseWhereAppDoes(askFront, request);
      if (request.ws) enter(request, request.params.threadId)(); // only to refuse: the place is taken when the socket is there
    },
    handler: async (_request, reply) =>
      reply
        .code(upgradeRequired)
        .header("upgrade", "websocket")
        .type("text/plain; charset=utf-8")
        .send("Open a WebSocket here, or POST for an event stream."),
    wsHandler: (socket, request) => {
      const { threadId } = ThreadParams.parse(request.params);
      try {
        const leave = enter(request, threadId);
        serveSocket(deps, request, socket, threadId).addEventListener("abort", leave);
      } catch (error) {
        socket.close(1013, error instanceof ServiceError ? error.message : "");
      }
    },
  });
};

const upgradeRequired = 426;

/** An upgrade goes past the project's app. So that its middleware has its say, it is asked for the same without one: our own answer to that is known. */
async function refuseWhereAppDoes(ask: (request: Request) => Promise<Response>, { url, headers }: FastifyRequest): Promise<void> {
  const plain = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (!/^(connection|upgrade|sec-websocket-.*)$/.test(name)) for (const one of [value ?? []].flat()) plain.append(name, one);
  }
  const answer = await ask(new Request(new URL(url, `http://${headers.host}`), { headers: plain }));
  const text = await answer.text();
  if (answer.status !== upgradeRequired) throw new AuthRefusal(answer.status < 400 ? 403 : answer.status, text);
}
