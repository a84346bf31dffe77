import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { getThread } from "../../threads/threads.ts";
import { access } from "../access.ts";
import { answerCommand, commandDecisions } from "../commands/answer.ts";
import { Command } from "../commands/command.ts";
import type { StreamCounts } from "../follow.ts";
import type { ApiRooms } from "../rooms.ts";
import { answers, ThreadParams } from "../schemas.ts";
import { EventFilter } from "../streaming-request.ts";
import { streamThread } from "../thread-streams.ts";

const Answer = z.looseObject({ type: z.enum(["success", "error"]), id: z.number().int().nullable() });
const threadStream = {
  200: { description: "The events of the thread's runs, without end.", content: { "text/event-stream": { schema: z.string() } } },
};

/** Event streaming: what happens on a thread, over all of its runs, and the commands by which it is made to happen. */
export const streamingRoutes: FastifyPluginAsyncZod<ApiRooms & { counts: StreamCounts }> = async (app, rooms) => {
  const { pool, counts } = rooms;

  app.post(
    "/threads/:threadId/commands",
    { schema: { params: ThreadParams, body: Command, response: answers(Answer) }, config: access(...commandDecisions) },
    async (request, reply) => reply.send(await answerCommand(rooms, request, request.params.threadId, request.body)),
  );

  app.post(
    "/threads/:threadId/stream/events",
    { schema: { params: ThreadParams, body: EventFilter, response: threadStream }, config: access("threads:read") },
    async (request, reply) => {
      const { threadId } = request.params;
      const { since, ...filter } = request.body;
      const { scope } = await request.access("threads:read", { thread_id: threadId });
      await getThread(pool, scope, threadId);
      await streamThread(rooms, counts, reply, { threadId, since: since ?? 0, filter });
    },
  );
};
