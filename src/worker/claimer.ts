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
  /** Whether this worker is announced. Runs that it claimed earlier would be taken over. */
  isAnnounced(): boolean;
  /** Starts a claimed run. `askedAt` is the time of the request for the claim. */
  start(claim: Claim, askedAt: number): void;
}

export interface Claimer {
  /** When the last claim ended. Infinity during a claim: its runs may be ours already and not be here yet. */
  readonly claimedAt: number;
  /** Claims nothing for a moment, because the database needs time to recover. */
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
      const told = wakeups.next(claimTopic, pollMs, stopped.signal); // begins before the claim, so that no notification is missed
      claimedAt = Number.POSITIVE_INFINITY;
      const askedAt = now();
      const asked = attempts.freeSlots();
      const claims = await claim(asked).catch((err) => {
        log.warn({ err }, "claim failed, trying again");
        return [];
      });
      for (const claim of claims) options.start(claim, askedAt);
      claimedAt = now();
      // Without a free slot, only a free slot helps. After fewer claims than slots, no more runs are due: the next one, or a thread
      // that is unlocked, is announced.
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
