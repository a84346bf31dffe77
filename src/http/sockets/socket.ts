import { AsyncLocalStorage } from "node:async_hooks";
import type { WebSocket } from "ws";
import { z } from "zod";
import type { Scope } from "../../db/scope.ts";
import { ServiceError } from "../../errors.ts";
import { toMatcher } from "../../streaming/filter.ts";
import { countReplayed } from "../../streaming/replayed.ts";
import { findThread } from "../../threads/threads.ts";
import { keepAsking } from "../admission/recheck.ts";
import { followVisible, inSight, type Sight } from "../admission/visible-thread.ts";
import { toAnswer } from "../answers/answer-errors.ts";
import { answerCommand, type CommandAnswer } from "../commands/answer.ts";
import { Command, CommandError, type CommandErrorCode, type CommandSource, type Method, withParams } from "../commands/command.ts";
import { parseJson } from "../front/body.ts";
import { EventFilter } from "../streaming-request.ts";
import { Frames } from "./frames.ts";
import { Subscriptions } from "./subscriptions.ts";

/**
 * The number of milliseconds for which a socket's user counts as authenticated. The first command after this time authenticates the user
 * again.
 */
const askAgainMs = 30_000;

const Unsubscribe = z.object({ subscription_id: z.string() });

/** Serves the event streaming protocol on one WebSocket. Returns a signal that aborts when the client has disconnected. */
export function serveSocket(socket: WebSocket, from: CommandSource): AbortSignal {
  return new EventSocket(socket, from).gone;
}

/** Handles the commands of one socket in order, and sends the events of its subscriptions. */
class EventSocket {
  readonly #from: CommandSource;
  readonly #sight: Sight = { readable: undefined, isSeen: false };
  readonly #frames: Frames;
  readonly #subscriptions: Subscriptions;
  readonly #methods = new Map<string, Method>([
    ["subscription.subscribe", withParams(EventFilter, async (scope, filter) => this.#subscribe(scope.readable, filter))],
    ["subscription.unsubscribe", withParams(Unsubscribe, async (_scope, { subscription_id }) => this.#unsubscribe(subscription_id))],
    ["subscription.reconnect", async () => notSupported()],
  ]);
  #askedAt = Date.now();
  /** Runs a function in the async context of the request that opened the socket. Encryption finds the request's user in this context. */
  readonly #forUser = AsyncLocalStorage.snapshot();

  constructor(socket: WebSocket, from: CommandSource) {
    const { deps, request, threadId } = from;
    this.#from = from;
    this.#frames = new Frames(socket, deps.settings.stalledSeconds, (frame) => this.#forUser(() => this.#onFrame(frame)));
    this.#subscriptions = new Subscriptions({
      follow: (since, signal) => followVisible(deps, { threadId, sight: this.#sight, since }, signal),
      send: (texts) => this.#frames.send(texts),
      gone: this.gone,
      failed: (error) => this.#cut(error),
    });
    const line = { gone: this.gone, cut: () => this.#frames.cut() };
    keepAsking(deps, request, inSight(deps, request, { threadId, sight: this.#sight }), line);
  }

  get gone(): AbortSignal {
    return this.#frames.gone;
  }

  /**
   * Handles a frame, and sends the response. A new subscription starts to send events only after this response, because the response tells
   * the client the id of the subscription. If several frames have arrived together, their subscriptions start together after the last
   * response.
   */
  async #onFrame(frame: Buffer | undefined): Promise<void> {
    await this.#frames.send([JSON.stringify(await this.#answer(frame))]);
    if (this.#frames.isIdle) this.#subscriptions.start();
  }

  async #answer(frame: Buffer | undefined): Promise<CommandAnswer> {
    const { pool, settings, log } = this.#from.deps;
    await this.#startDecisions();
    const command = readCommand(frame);
    if ("type" in command) return command;
    if (pool.waitingCount > settings.maxWaiting)
      return failure(command.id, "unknown_error", "Too many requests are waiting for the database. Try again in a moment.");
    return answerCommand(this.#from, command, this.#methods).catch((error) => {
      const { status, sentence } = toAnswer(error);
      if (status >= 500) log.error({ err: error, thread_id: this.#from.threadId }, "command failed");
      return failure(command.id, codeOf(status), sentence);
    });
  }

  /**
   * Prepares auth for the next command. Clears the decisions about the previous command. Authenticates the user again if the last
   * authentication is too old.
   */
  async #startDecisions(): Promise<void> {
    this.#from.request.decided = [];
    if (Date.now() - this.#askedAt <= askAgainMs) return;
    await this.#from.request.askAgain();
    this.#askedAt = Date.now();
  }

  async #subscribe(scope: Scope, { since, ...filter }: z.output<typeof EventFilter>): Promise<object> {
    const { pool } = this.#from.deps;
    this.#sight.readable = scope;
    const id = this.#subscriptions.add(filter, since ?? 0);
    if (!id) throw new CommandError("invalid_argument", "There are too many subscriptions on this socket already.");
    const isThere = (await findThread(pool, scope, this.#from.threadId)) !== undefined;
    this.#sight.isSeen ||= isThere;
    const replayed = isThere ? await countReplayed(pool, this.#from.threadId, since ?? 0, toMatcher(filter)) : 0;
    return { subscription_id: id, replayed_events: replayed };
  }

  #unsubscribe(id: string): object {
    if (!this.#subscriptions.remove(id)) throw new CommandError("no_such_subscription", `There is no subscription ${id} on this socket.`);
    return {};
  }

  /** Cuts the connection after an error, so that the client reconnects and subscribes again. */
  #cut(err: Error): void {
    this.#from.deps.log.debug({ err, thread_id: this.#from.threadId }, "socket cut");
    this.#frames.cut();
  }
}

function notSupported(): never {
  throw new CommandError("not_supported", "Open another socket and subscribe again: everything that matches is sent from the start.");
}

function readCommand(frame: Buffer | undefined): Command | CommandAnswer {
  if (!frame) return failure(null, "invalid_argument", "Protocol commands must be text.");
  let document: unknown;
  try {
    document = parseJson(frame);
  } catch (error) {
    const hasSentence = error instanceof ServiceError && error.code === "invalid";
    return failure(null, "invalid_argument", hasSentence ? error.message : "Protocol commands must be valid JSON.");
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
