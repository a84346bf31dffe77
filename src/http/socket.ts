import type { FastifyRequest } from "fastify";
import type { WebSocket } from "ws";
import { z } from "zod";
import type { Scope } from "../db/scope.ts";
import { ServiceError } from "../errors.ts";
import { toMatcher } from "../streaming/filter.ts";
import { countReplayed } from "../streaming/replayed.ts";
import { findThread } from "../threads/threads.ts";
import { toAnswer } from "./answer-errors.ts";
import type { ApiDeps } from "./api-deps.ts";
import { parseJson } from "./body.ts";
import { answerCommand, type CommandAnswer } from "./commands/answer.ts";
import { Command, CommandError, type CommandErrorCode, type Method, withParams } from "./commands/command.ts";
import { openFrames } from "./frames.ts";
import { keepAsking } from "./recheck.ts";
import { EventFilter } from "./streaming-request.ts";
import { createSubscriptions } from "./subscriptions.ts";
import { followVisible, inSight, type Sight } from "./visible-thread.ts";

/** A socket may be open for days; after this a command is asked again who sends it. */
const askAgainMs = 30_000;

/** Event streaming on one WebSocket: commands come in and are answered in order, and the events of its subscriptions go out. */
export function serveSocket(deps: ApiDeps, request: FastifyRequest, socket: WebSocket, threadId: string): AbortSignal {
  const sight: Sight = { readable: undefined, isSeen: false };
  let askedAt = Date.now();
  const frames = openFrames(socket, deps.settings.stalledSeconds, async (frame) => {
    await frames.send([JSON.stringify(await answerFrame(frame))]);
    // Events come after the answer that names their subscription, and subscriptions that are asked for together are told together.
    if (frames.isIdle()) subscriptions.start();
  });
  const subscriptions = createSubscriptions({
    follow: (since, signal) => followVisible(deps, sight, { threadId, since }, signal),
    send: frames.send,
    gone: frames.gone,
    failed(err) {
      deps.log.debug({ err, thread_id: threadId }, "socket cut");
      frames.cut(); // the client comes back, and subscribes again
    },
  });
  keepAsking(deps, request, inSight(deps, request, threadId, sight), frames);
  const methods = new Map<string, Method>([
    ["subscription.subscribe", withParams(EventFilter, async (scope, filter) => subscribe(scope.readable, filter))],
    ["subscription.unsubscribe", withParams(Unsubscribe, async (_scope, { subscription_id }) => unsubscribe(subscription_id))],
    ["subscription.reconnect", async () => notSupported()],
  ]);

  async function answerFrame(frame: Buffer | undefined): Promise<CommandAnswer> {
    request.decided = []; // each command is decided about anew
    if (Date.now() - askedAt > askAgainMs) {
      await request.askAgain();
      askedAt = Date.now();
    }
    const command = readCommand(frame);
    if ("type" in command) return command;
    if (deps.pool.waitingCount > deps.settings.maxWaiting)
      return failure(command.id, "unknown_error", "Too many requests are waiting for the database; try again in a moment.");
    return answerCommand(deps, request, threadId, command, methods).catch((error) => {
      const { status, sentence } = toAnswer(error);
      if (status >= 500) deps.log.error({ err: error, thread_id: threadId }, "command failed");
      return failure(command.id, codeOf(status), sentence);
    });
  }

  async function subscribe(scope: Scope, { since, ...filter }: z.output<typeof EventFilter>): Promise<object> {
    sight.readable = scope;
    const id = subscriptions.add(filter, since ?? 0);
    if (!id) throw new CommandError("invalid_argument", "There are too many subscriptions on this socket already.");
    const isThere = (await findThread(deps.pool, scope, threadId)) !== undefined;
    return { subscription_id: id, replayed_events: isThere ? await countReplayed(deps.pool, threadId, since ?? 0, toMatcher(filter)) : 0 };
  }

  function unsubscribe(id: string): object {
    if (!subscriptions.remove(id)) throw new CommandError("no_such_subscription", `There is no subscription ${id} on this socket.`);
    return {};
  }

  return frames.gone;
}

const Unsubscribe = z.object({ subscription_id: z.string() });

function notSupported(): never {
  throw new CommandError("not_supported", "Open another socket and subscribe again: everything that matches is sent from the start.");
}

function readCommand(frame: Buffer | undefined): Command | CommandAnswer {
  if (!frame) return failure(null, "invalid_argument", "Protocol commands must be text.");
  let document: unknown;
  try {
    document = parseJson(frame);
  } catch (error) {
    const isDeep = error instanceof ServiceError && error.code === "invalid";
    return failure(null, "invalid_argument", isDeep ? error.message : "Protocol commands must be valid JSON.");
  }
  const command = Command.safeParse(document);
  if (command.success) return command.data;
  const id = Command.shape.id.safeParse(Object(document).id);
  return failure(id.data ?? null, "invalid_argument", "A command is an object with an id (a whole number), a method and its params.");
}

function codeOf(status: number): CommandErrorCode {
  if (status === 401 || status === 403) return "permission_denied";
  if (status === 404) return "no_such_run";
  return status < 500 && status !== 429 ? "invalid_argument" : "unknown_error";
}

const failure = (id: number | null, error: CommandErrorCode, message: string): CommandAnswer => ({ type: "error", id, error, message });
