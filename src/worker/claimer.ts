import type { Pool } from "pg";
import type { Logger } from "pino";
import type { Wakeups } from "../db/listen.ts";
import { type Claim, claimRuns } from "../runs/claim.ts";
import { claimTopic } from "../runs/run.ts";
import type { Attempts } from "./attempts.ts";
import { now } from "./liveness-news.ts";

const pollMs = 1_000;
/** The worker tells itself on this topic that it can take another run. */
export const roomTopic = "room";

export interface ClaimerOptions {
  pool: Pool;
  wakeups: Wakeups;
  log: Logger;
  workerId: string;
  graphs: string[];
  maxCrashes: number;
  attempts: Attempts;
  /** Whether the database knows this worker: before, its claims would be taken over. */
  isAnnounced(): boolean;
  /** Starts what was claimed, with the time at which the claim was asked for. */
  start(claim: Claim, askedAt: number): void;
}

export interface Claimer {
  /** When the last claim was dealt with. While one is under way, runs may be ours that are not here yet. */
  readonly claimedAt: number;
  /** Claims nothing for a moment: what the database cannot do now, it could not do a millisecond later either. */
  pause(): void;
  /** Claims no more. Resolves when a claim that was under way has been dealt with. */
  stop(): Promise<void>;
}

/** Claims runs as long as there are slots for them, until it is stopped. */
export function startClaimer(options: ClaimerOptions): Claimer {
  const { pool, wakeups, log, workerId, graphs, maxCrashes, attempts } = options;
  const stopped = new AbortController();
  let claimedAt = Number.POSITIVE_INFINITY;
  let pausedUntil = 0;

  async function claim(slots: number): Promise<Claim[]> {
    if (slots <= 0 || !options.isAnnounced() || now() < pausedUntil) return [];
    return claimRuns(pool, workerId, { graphs, slots, suspects: attempts.hasSuspect() ? 0 : 1, maxCrashes });
  }

  async function loop(): Promise<void> {
    while (!stopped.signal.aborted) {
      const told = wakeups.next(claimTopic, pollMs, stopped.signal); // armed before the claim, so that no word is missed
      claimedAt = Number.POSITIVE_INFINITY;
      const askedAt = now();
      const asked = attempts.freeSlots();
      const claims = await claim(asked).catch((err) => {
        log.warn({ err }, "claim failed, trying again");
        return [];
      });
      for (const claim of claims) options.start(claim, askedAt);
      claimedAt = now();
      // Without a free slot, news of runs does not help. After fewer claims than slots no more are due: whoever holds a thread
      // meanwhile tells when it lets go.
      if (attempts.freeSlots() === 0) await wakeups.next(roomTopic, pollMs, stopped.signal);
      else if (claims.length < asked) await told;
    }
  }

  const claiming = loop();
  return {
    get claimedAt() {
      return claimedAt;
    },
    pause() {
      pausedUntil = now() + pollMs;
    },
    async stop() {
      stopped.abort();
      await claiming;
    },
  };
}
