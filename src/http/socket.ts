import type { FastifyRequest } from "fastify";
import type { WebSocket } from "ws";
import { z } from "zod";
import { newId } from "../db/ids.ts";
import type { Scope } from "../db/scope.ts";
import { ServiceError } from "../errors.ts";
import { threadTopic } from "../runs/run.ts";
import { toMatcher } from "../streaming/filter.ts";
import { findThread } from "../threads/threads.ts";
import { toAnswer } from "./answer-errors.ts";
import { parseJson } from "./body.ts";
import { answerCommand, type CommandAnswer } from "./commands/answer.ts";
import { Command, CommandError, type CommandErrorCode, type Method, withParams } from "./commands/command.ts";
import { openFrames } from "./frames.ts";
import type { ApiRooms } from "./rooms.ts";
import { EventFilter } from "./streaming-request.ts";

/** What a socket can have; whoever wants to see more opens another one. */
const mostSubscriptions = 50;

interface Subscription {
  filter: z.output<typeof EventFilter>;
  readable: Scope;
  over: AbortController;
}

/** Event streaming on one WebSocket: commands come in and are answered in order, and the events of its subscriptions go out. */
export function serveSocket(rooms: ApiRooms, request: FastifyRequest, socket: WebSocket, threadId: string): AbortSignal {
  const subscriptions = new Map<string, Subscription>();
  const fresh: Subscription[] = [];
  const frames = openFrames(socket, rooms.settings.stalledSeconds, async (frame) => {
    await frames.send([JSON.stringify(await answerFrame(frame))]);
    for (const subscription of fresh.splice(0)) void tell(subscription); // its events come after the answer that names it
  });
  const methods = new Map<string, Method>([
    ["subscription.subscribe", withParams(EventFilter, async ({ readable }, filter) => subscribe(readable, filter))],
    ["subscription.unsubscribe", withParams(Unsubscribe, async (_scope, { subscription_id }) => unsubscribe(subscription_id))],
    ["subscription.reconnect", async () => notSupported()],
  ]);

  async function answerFrame(frame: Buffer | undefined): Promise<CommandAnswer> {
    request.decided = []; // each command is decided about anew
    const command = readCommand(frame);
    if ("type" in command) return command;
    if (rooms.pool.waitingCount > rooms.settings.maxWaiting)
      return failure(command.id, "unknown_error", "Too many requests are waiting for the database; try again in a moment.");
    return answerCommand(rooms, request, threadId, command, methods).catch((error) => {
      const { status, sentence } = toAnswer(error);
      if (status >= 500) rooms.log.error({ err: error, thread_id: threadId }, "command failed");
      return failure(command.id, codeOf(status), sentence);
    });
  }

  function subscribe(readable: Scope, filter: Subscription["filter"]): object {
    if (subscriptions.size >= mostSubscriptions)
      throw new CommandError("invalid_argument", `There are ${subscriptions.size} subscriptions on this socket already.`);
    const subscription = { filter, readable, over: new AbortController() };
    const id = newId();
    subscriptions.set(id, subscription);
    fresh.push(subscription);
    return { subscription_id: id };
  }

  function unsubscribe(id: string): object {
    const subscription = subscriptions.get(id);
    if (!subscription) throw new CommandError("no_such_subscription", `There is no subscription ${id} on this socket.`);
    subscription.over.abort();
    subscriptions.delete(id);
    return {};
  }

  /** Sends what a subscription asks for, from the thread's first event on. A thread that is not there, or not the caller's to see, may yet be. */
  async function tell({ filter, readable, over }: Subscription): Promise<void> {
    const until = AbortSignal.any([frames.gone, over.signal]);
    const isWanted = toMatcher(filter);
    try {
      while (!until.aborted && !(await findThread(rooms.pool, readable, threadId)))
        await rooms.wakeups.next(threadTopic(threadId), 1_000, until);
      for await (const events of rooms.threadFeed.follow(threadId, filter.since ?? 0, until)) {
        const wanted = events.filter(isWanted).map(({ json }) => json);
        if (wanted.length > 0) await frames.send(wanted);
      }
    } catch (err) {
      rooms.log.debug({ err, thread_id: threadId }, "socket cut");
      frames.cut(); // the client comes back, and subscribes again
    }
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
