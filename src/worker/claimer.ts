import type { Pool } from "pg";
import type { Logger } from "pino";
import type { Wakeups } from "../db/listen.ts";
import { type Claim, claimRuns } from "../runs/claim.ts";
import { claimTopic } from "../runs/run.ts";
import type { Attempts } from "./attempts.ts";
import { now } from "./liveness-news.ts";

const pollMs = 1_000;
/** The topic on which the worker notifies itself that it can take another run. */
export const roomTopic = "room";

export interface ClaimerOptions {
  pool: Pool;
  wakeups: Wakeups;
  log: Logger;
  workerId: string;
  graphs: string[];
  maxCrashes: number;
  attempts: Attempts;
  /** Returns whether this worker is announced. Runs claimed before that would be taken over by other workers. */
  isAnnounced(): boolean;
  /** Starts a claimed run. `askedAt` is the time when the claim was sent to the database. */
  start(claim: Claim, askedAt: number): void;
}

export interface Claimer {
  /** When the last claim ended. Infinity during a claim, because the database may then already list runs that have not started here. */
  readonly claimedAt: number;
  /** Stops claiming for a moment, because the database needs time to recover. */
  pause(): void;
  /** Stops claiming. Resolves when a claim under way has been handled. */
  stop(): Promise<void>;
}

/** Claims runs as long as slots are free, until it is stopped. */
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
      const told = wakeups.next(claimTopic, pollMs, stopped.signal); // starts before the claim, so that no notification is missed
      claimedAt = Number.POSITIVE_INFINITY;
      const askedAt = now();
      const asked = attempts.freeSlots();
      const claims = await claim(asked).catch((err) => {
        log.warn({ err }, "claim failed, trying again");
        return [];
      });
      for (const claim of claims) options.start(claim, askedAt);
      claimedAt = now();
      // Without a free slot, wait for a slot. If the claim returned fewer runs than there are slots, no more runs are due. A notification
      // comes when a run becomes due or when a locked thread is unlocked.
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
