import { setTimeout as sleep } from "node:timers/promises";
import { findDueCrons, fireCron } from "../crons/fire.ts";
import { isHalted } from "../runs/halt.ts";
import type { RunDefaults } from "../runs/request.ts";
import { announceRuns } from "../runs/submit.ts";
import type { WorkerDeps } from "./worker-deps.ts";

const pollMs = 1_000;

/**
 * Creates the runs of due crons. Checks every second which crons are due by the database's clock. Any number of processes may do this at
 * the same time.
 */
export function startCrons({ pool, wakeups, log }: WorkerDeps, retention: RunDefaults): { stop(): Promise<void> } {
  const stopped = new AbortController();

  async function fire(cronId: string): Promise<void> {
    const tick = await fireCron(pool, cronId, retention);
    if (!tick) return;
    if ("passedOver" in tick) log.warn({ cron_id: cronId, reason: tick.passedOver }, "a cron made no run this time");
    else announceRuns(wakeups, [tick.run.multitask_strategy]);
  }

  /**
   * Creates the runs of all due crons. During a halt it creates no runs, because no worker would execute them. After the halt, each overdue
   * cron gets one run.
   */
  async function fireAll(): Promise<void> {
    const due = await findDueCrons(pool);
    if (due.length === 0 || (await isHalted(pool))) return;
    for (const cronId of due) {
      if (stopped.signal.aborted) return;
      await fire(cronId).catch((err) => log.warn({ err, cron_id: cronId }, "a cron could not be fired, trying again"));
    }
  }

  async function loop(): Promise<void> {
    while (!stopped.signal.aborted) {
      await fireAll().catch((err) => log.warn({ err }, "crons could not be looked for, trying again"));
      await sleep(pollMs, undefined, { signal: stopped.signal }).catch(() => {});
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
