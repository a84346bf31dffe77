import { setTimeout as sleep } from "node:timers/promises";
import { servedTopic } from "../resources/broker.ts";
import { findWayOut } from "../resources/deadlock.ts";
import { countGrants, dropDeadGrants, letPass, readGrants, refuseDeadlocked, serveWaiting } from "../resources/grants.ts";
import type { WorkerDeps } from "./worker-deps.ts";

const pauseMs = 1_000;

/**
 * Checks the requests for resources every second. Frees the resources that dead attempts hold, and resolves deadlocks. Also serves waiting
 * requests for which enough has become free, for example because time has passed for a resource with a rate. Any number of processes may do
 * this at the same time.
 */
export function startResourceSweeper({ pool, wakeups, log, metrics }: WorkerDeps): { stop(): Promise<void> } {
  const stopped = new AbortController();

  async function sweep(): Promise<void> {
    const { all, waiting, nested } = await countGrants(pool);
    if (all > 0) await dropDeadGrants(pool);
    if (waiting > 0 && (await serveWaiting(pool)) > 0) wakeups.notify(servedTopic);
    if (nested > 0) await endDeadlock();
  }

  async function endDeadlock(): Promise<void> {
    const { grants, rooms } = await readGrants(pool);
    const way = findWayOut(grants, rooms);
    if (!way) return;
    if ("passes" in way) {
      await letPass(pool, way.passes);
      await serveWaiting(pool);
    } else if (await refuseDeadlocked(pool, way.victim)) {
      const victim = grants.find(({ holder }) => holder === way.victim);
      log.warn({ run_id: victim?.runId, needs: victim?.needs }, "requests for resources waited for each other, so one was ended");
      metrics.endedDeadlock();
    }
    wakeups.notify(servedTopic);
  }

  async function loop(): Promise<void> {
    while (!stopped.signal.aborted) {
      await sweep().catch((err) => log.warn({ err }, "requests for resources could not be checked, trying again"));
      await sleep(pauseMs, undefined, { signal: stopped.signal }).catch(() => {});
    }
  }

  const finished = loop();
  return {
    async stop() {
      stopped.abort();
      await finished;
    },
  };
}
