import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isDatabaseTrouble } from "../../db/failure.ts";
import type { Scope } from "../../db/scope.ts";
import type { ApiDeps } from "../api-deps.ts";
import { alreadyDecided } from "./access.ts";

/** What stays open: a stream, a socket, a request that waits. */
export interface Line {
  readonly gone: AbortSignal;
  cut(): void;
}

/** What somebody follows: how it is decided of which rows they may see it, and how it is found among them. Both throw when they may not. */
export interface Followed {
  decide(): Promise<Scope>;
  find(scope: Scope): Promise<unknown>;
}

/** For those who follow what they have made themselves. */
export const ownRequest: Followed = { decide: async () => alreadyDecided, find: async () => {} };

/**
 * Asks at intervals who is following, and whether they may still see it, and cuts the line when not: a stream may be open for days, a
 * token is good for minutes. Whoever cannot be asked is cut off as well; they come back, and are told why.
 */
export function keepAsking({ auth, settings, log }: ApiDeps, request: FastifyRequest, followed: Followed, { gone, cut }: Line): void {
  const askAgain = async () => {
    await request.askAgain();
    const scope = await followed.decide();
    await followed.find(scope).catch((error) => {
      if (!isDatabaseTrouble(error)) throw error; // nothing is told meanwhile, and the next time is soon
    });
  };
  const asking = async () => {
    while (await pause(settings.recheckSeconds * 1_000, gone)) await askAgain();
  };
  if (!auth) return;
  void asking().catch((err) => {
    log.debug({ err }, "a line is cut: whoever follows may not any more");
    cut();
  });
}

/** A request that waits for its answer, as a line. */
export function lineOf({ raw }: FastifyReply): Line {
  const gone = new AbortController();
  raw.on("close", () => gone.abort());
  return { gone: gone.signal, cut: () => raw.destroy() };
}

/** False when the line was gone first. */
const pause = (ms: number, gone: AbortSignal): Promise<boolean> => sleep(ms, true, { signal: gone, ref: false }).catch(() => false);
