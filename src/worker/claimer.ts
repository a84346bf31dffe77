import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import type { Logger } from "pino";
import type { Wakeups } from "../db/listen.ts";
import { type Claim, type Claimed, claimRuns } from "../runs/claim.ts";
import { claimTopic } from "../runs/run.ts";
import type { Attempts } from "./attempts.ts";
import { now } from "./liveness-news.ts";

const pollMs = 1_000;
/**
 * The longest pause before the next claim, in milliseconds, if another process had locked the rows of limits that this claim needed. The
 * claim then left out runs that may be due.
 */
const contendedMs = 20;
const nothing: Claimed = { claims: [], parked: 0, contended: false, limited: false };
/** The topic by which the worker notifies itself that a slot has become free. */
export const roomTopic = "room";

export interface ClaimerOptions {
  pool: Pool;
  wakeups: Wakeups;
  log: Logger;
  workerId: string;
  graphs: string[];
  maxCrashes: number;
  /** True if this process has no key for encrypted values. */
  isKeyless: boolean;
  attempts: Attempts;
  /**
   * Tells whether this worker is in the table `workers`. A worker without a row must claim nothing, because other workers would take over
   * its runs.
   */
  isAnnounced(): boolean;
  /** Starts a claimed run. `askedAt` is the time at which the claim was sent to the database. */
  start(claim: Claim, askedAt: number): void;
}

export interface Claimer {
  /**
   * The time at which the last claim ended. It is infinite while a claim is in progress. In this time, a run can already belong to this
   * worker in the database although the worker has not started it yet.
   */
  readonly claimedAt: number;
  /** Stops claiming for a second, so that the database can recover. */
  pause(): void;
  /** Stops claiming for good. Resolves when the claim in progress has been handled. */
  stop(): Promise<void>;
}

/** Claims runs whenever slots are free, until it is stopped. */
export function startClaimer(options: ClaimerOptions): Claimer {
  const { pool, wakeups, log, workerId, graphs, maxCrashes, isKeyless, attempts } = options;
  const stopped = new AbortController();
  let claimedAt = Number.POSITIVE_INFINITY;
  let pausedUntil = 0;
  /** True if limits apply to this worker's graphs, according to the last claim. */
  let isLimited = false;

  async function claim(slots: number): Promise<Claimed> {
    if (slots <= 0 || !options.isAnnounced() || now() < pausedUntil) return { ...nothing, limited: isLimited };
    return claimRuns(pool, workerId, { graphs, slots, suspects: attempts.hasSuspect() ? 0 : 1, maxCrashes, isLimited, isKeyless });
  }

  async function loop(): Promise<void> {
    while (!stopped.signal.aborted) {
      const told = wakeups.next(claimTopic, pollMs, stopped.signal); // starts before the claim, so that no notification is missed
      claimedAt = Number.POSITIVE_INFINITY;
      const askedAt = now();
      const asked = attempts.freeSlots();
      const wasLimited = isLimited;
      const { claims, parked, contended, limited } = await claim(asked).catch((err) => {
        log.warn({ err }, "claim failed, trying again");
        return { ...nothing, limited: isLimited };
      });
      isLimited = limited;
      for (const claim of claims) options.start(claim, askedAt);
      claimedAt = now();
      if (isLimited && !wasLimited) continue; // claims again immediately, because this claim has left out the graphs with limits
      // If no slot is free, waits until one is. If the claim has filled fewer slots than were free, no further run was due. The loop then
      // waits for a notification, which comes when a run becomes due or a thread is unlocked.
      if (attempts.freeSlots() === 0) await wakeups.next(roomTopic, pollMs, stopped.signal);
      else if (contended) await sleep(contendedMs * Math.random(), undefined, { signal: stopped.signal }).catch(() => {});
      else if (claims.length < asked && parked === 0) await told;
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
