import type { FastifyReply, FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import type { WebSocket } from "ws";
import { z } from "zod";
import { AuthRefusal } from "../../auth/auth.ts";
import type { Scope } from "../../db/scope.ts";
import { ServiceError } from "../../errors.ts";
import { getThread } from "../../threads/threads.ts";
import { access } from "../admission/access.ts";
import { type StreamCounts, takePlace } from "../admission/places.ts";
import type { Followed } from "../admission/recheck.ts";
import { inSight, type Sight } from "../admission/visible-thread.ts";
import type { ApiDeps } from "../api-deps.ts";
import { answerCommand, commandDecisions } from "../commands/answer.ts";
import { Command } from "../commands/command.ts";
import type { RequestOf } from "../route.ts";
import { answers, ThreadParams } from "../schemas.ts";
import { serveSocket } from "../sockets/socket.ts";
import { streamThread, streamThreadRuns } from "../sse/thread-streams.ts";
import { EventFilter, LastEventNumber, LastThreadEvent, ThreadStreamQuery } from "../streaming-request.ts";

export interface StreamingDeps extends ApiDeps {
  counts: StreamCounts;
  /** Passes a request to the project's own app, which receives requests before our routes. Undefined if the project has no such app. */
  askFront: ((request: Request) => Promise<Response>) | undefined;
}

const Answer = z.looseObject({ type: z.enum(["success", "error"]), id: z.number().int().nullable() });
const threadStream = {
  200: { description: "The events of the thread's runs, without end.", content: { "text/event-stream": { schema: z.string() } } },
};

const commandSchema = { params: ThreadParams, body: Command, response: answers(Answer) };
const eventsSchema = { params: ThreadParams, body: EventFilter, headers: LastEventNumber, response: threadStream };
const runsSchema = { params: ThreadParams, querystring: ThreadStreamQuery, headers: LastThreadEvent, response: threadStream };
const socketSchema = { params: ThreadParams, hide: true }; // OpenAPI cannot describe a WebSocket

/** Streams the events of a thread across all of its runs, and accepts commands for the thread. */
export const streamingRoutes: FastifyPluginAsyncZod<StreamingDeps> = async (app, deps) => {
  app.post("/threads/:threadId/commands", { schema: commandSchema, config: access(...commandDecisions) }, async (request, reply) =>
    reply.send(await answerCommand({ deps, request, threadId: request.params.threadId }, request.body)),
  );
  app.post("/threads/:threadId/stream/events", { schema: eventsSchema, config: access("threads:read") }, (request, reply) =>
    streamEvents(deps, request, reply),
  );
  app.get("/threads/:threadId/stream", { schema: runsSchema, config: access("threads:read") }, (request, reply) =>
    streamRuns(deps, request, reply),
  );
  app.route({
    method: "GET",
    url: "/threads/:threadId/stream/events",
    schema: socketSchema,
    config: access(...commandDecisions),
    preValidation: (request) => refuseSocket(deps, request),
    handler: async (_request, reply) =>
      reply
        .code(upgradeRequired)
        .header("upgrade", "websocket")
        .type("text/plain; charset=utf-8")
        .send("Open a WebSocket here, or POST for an event stream."),
    wsHandler: (socket, request) => openSocket(deps, request, socket),
  });
};

const upgradeRequired = 426;

const enter = ({ counts, settings }: StreamingDeps, { user }: FastifyRequest, threadId: string) =>
  takePlace(counts, { of: "thread", id: threadId, user: user?.identity }, settings);

async function streamEvents(deps: StreamingDeps, request: RequestOf<typeof eventsSchema>, reply: FastifyReply): Promise<void> {
  const { threadId } = request.params;
  const { since, ...filter } = request.body;
  const { scope: readable } = await request.access("threads:read", { thread_id: threadId });
  const sight: Sight = { readable, isSeen: false };
  const followed = inSight(deps, request, { threadId, sight });
  const from = since ?? request.headers["last-event-id"] ?? 0;
  await streamThread(deps, reply, { threadId, followed, leave: enter(deps, request, threadId), sight, since: from, filter });
}

async function streamRuns(deps: StreamingDeps, request: RequestOf<typeof runsSchema>, reply: FastifyReply): Promise<void> {
  const { threadId } = request.params;
  const { stream_mode, stream_modes } = request.query;
  const followed = await toFollow(deps, request, threadId);
  reply.header("location", request.url); // the SDK reconnects to this URL and must get the same stream
  const modes = stream_mode ?? stream_modes ?? ["run_modes" as const];
  const since = request.headers["last-event-id"];
  await streamThreadRuns(deps, reply, { threadId, followed, leave: enter(deps, request, threadId), since, modes });
}

/** Checks that the caller may read a thread. Returns the functions with which the check is repeated later. */
async function toFollow({ pool }: ApiDeps, request: FastifyRequest, threadId: string): Promise<Followed> {
  const decide = async () => (await request.access("threads:read", { thread_id: threadId })).scope;
  const find = (scope: Scope) => getThread(pool, scope, threadId);
  await find(await decide());
  return { decide, find };
}

/** Refuses an upgrade to a WebSocket if the project's app refuses the same request, or if the client has too many open streams. */
async function refuseSocket(deps: StreamingDeps, request: RequestOf<typeof socketSchema>): Promise<void> {
  if (!request.ws) return;
  if (deps.askFront) await refuseWhereAppDoes(deps.askFront, request);
  const leave = enter(deps, request, request.params.threadId);
  leave(); // only tests the limit here. The client is counted when its socket opens
}

function openSocket(deps: StreamingDeps, request: FastifyRequest, socket: WebSocket): void {
  const { threadId } = ThreadParams.parse(request.params);
  try {
    const leave = enter(deps, request, threadId);
    serveSocket(socket, { deps, request, threadId }).addEventListener("abort", leave);
  } catch (error) {
    socket.close(1013, error instanceof ServiceError ? error.message : "");
  }
}

/**
 * Asks the project's app whether it lets the request pass, and throws if the app refuses. The app gets the same request without the headers
 * of the upgrade. Without this check, an upgrade would bypass the app's middleware.
 */
async function refuseWhereAppDoes(ask: (request: Request) => Promise<Response>, { url, headers }: FastifyRequest): Promise<void> {
  const plain = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (!/^(connection|upgrade|sec-websocket-.*)$/.test(name)) for (const one of [value ?? []].flat()) plain.append(name, one);
  }
  const answer = await ask(new Request(new URL(url, `http://${headers.host}`), { headers: plain }));
  const text = await answer.text();
  if (answer.status === upgradeRequired) return; // this is the response of our own route, so the app has let the request pass
  throw new AuthRefusal(answer.status < 400 ? 403 : answer.status, text);
}
