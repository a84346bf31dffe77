import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import { concernsAllStatements } from "../../db/failure.ts";
import type { Scope } from "../../db/scope.ts";
import type { ApiDeps } from "../api-deps.ts";
import { goneOf } from "../gone.ts";
import { alreadyDecided } from "./access.ts";

/** The connection of a stream, a socket or a waiting request. `gone` aborts when the client has disconnected. */
export interface Line {
  readonly gone: AbortSignal;
  cut(): void;
}

/**
 * The checks that are repeated while a client follows a run or a thread. `decide` asks auth which rows the client may see. `find` then
 * searches these rows for the followed run or thread. Each of the two throws if the client may no longer follow it.
 */
export interface Followed {
  decide(): Promise<Scope>;
  find(scope: Scope): Promise<unknown>;
}

/** The checks for a client that has just created the run that it follows. They always pass. */
export const ownRequest: Followed = { decide: async () => alreadyDecided, find: async () => {} };

/**
 * Checks at intervals that the client may still follow its run or thread. A stream may be open for days, while a token is valid for
 * minutes. If the check fails, closes the connection. The client then reconnects, and learns the reason from the response.
 */
export function keepAsking({ auth, settings, log }: ApiDeps, request: FastifyRequest, followed: Followed, { gone, cut }: Line): void {
  const check = async () => {
    await request.askAgain();
    const scope = await followed.decide();
    await followed.find(scope).catch((error) => {
      // While the database does not respond, no events are sent, so the connection may stay open until the next check. If the row cannot be
      // decrypted, events would still be sent, so the check fails.
      if (!concernsAllStatements(error)) throw error;
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

/** Returns the connection of a request that waits for its response, in the form that `keepAsking` needs. */
export function lineOf({ raw }: FastifyReply): Line {
  return { gone: goneOf(raw), cut: () => raw.destroy() };
}

/** Waits for `ms` milliseconds. Returns false if the connection closes first. */
const pause = (ms: number, gone: AbortSignal): Promise<boolean> => sleep(ms, true, { signal: gone, ref: false }).catch(() => false);
