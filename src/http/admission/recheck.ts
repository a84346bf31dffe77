import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isDatabaseTrouble } from "../../db/failure.ts";
import type { Scope } from "../../db/scope.ts";
import type { ApiDeps } from "../api-deps.ts";
import { goneOf } from "../gone.ts";
import { alreadyDecided } from "./access.ts";

/** A connection that stays open: a stream, a socket, or a request that waits. */
export interface Line {
  readonly gone: AbortSignal;
  cut(): void;
}

/**
 * The row that a client follows. `decide` returns the rows that the client may see, and `find` finds the row among them. Both throw when the
 * client may not see it.
 */
export interface Followed {
  decide(): Promise<Scope>;
  find(scope: Scope): Promise<unknown>;
}

/** For clients that follow a run they created with the same request. */
export const ownRequest: Followed = { decide: async () => alreadyDecided, find: async () => {} };

/**
 * Authenticates and authorizes the client at intervals, and closes the connection when it is refused. A stream may be open for days, but a
 * token is valid for minutes. A failed check closes the connection too: the client reconnects and gets the reason.
 */
export function keepAsking({ auth, settings, log }: ApiDeps, request: FastifyRequest, followed: Followed, { gone, cut }: Line): void {
  const check = async () => {
    await request.askAgain();
    const scope = await followed.decide();
    await followed.find(scope).catch((error) => {
      if (!isDatabaseTrouble(error)) throw error; // no events are sent without the database, and the next check is soon
    });
  };
  const recheck = async () => {
    while (await pause(settings.recheckSeconds * 1_000, gone)) await check();
  };
  if (!auth) return;
  void recheck().catch((err) => {
    log.debug({ err }, "closing a connection: its client may no longer follow");
    cut();
  });
}

/** Returns a request that waits for its answer as a connection that can be cut. */
export function lineOf({ raw }: FastifyReply): Line {
  return { gone: goneOf(raw), cut: () => raw.destroy() };
}

/** Waits. Returns false when the connection closes first. */
const pause = (ms: number, gone: AbortSignal): Promise<boolean> => sleep(ms, true, { signal: gone, ref: false }).catch(() => false);
