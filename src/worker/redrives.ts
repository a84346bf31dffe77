import { letterTopic } from "../letters/letter.ts";
import { startNextRuns } from "../redrives/redrive.ts";
import type { EventRetention } from "../runs/request.ts";
import { announceRuns } from "../runs/submit.ts";
import type { WorkerDeps } from "./worker-deps.ts";

const pollMs = 1_000;

/**
 * Creates the runs of letters that wait to be redriven. Looks for them every second, and as soon as a letter is redriven or the run of a
 * redrive ends. Any number of processes may do this at once.
 */
export function startRedrives({ pool, wakeups, log }: WorkerDeps, retention: EventRetention): { stop(): Promise<void> } {
  const stopped = new AbortController();

  /** Creates the next runs. Returns whether there were letters to redrive. */
  async function startNext(): Promise<boolean> {
    const started = await startNextRuns(pool, retention);
    for (const { letterId, reason } of started?.refused ?? [])
      log.warn({ letter_id: letterId, reason }, "a dead letter could not be redriven");
    if (started && started.runs > 0) announceRuns(wakeups, ["enqueue"]);
    return started !== undefined;
  }

  async function loop(): Promise<void> {
    while (!stopped.signal.aborted) {
      const woken = wakeups.next(letterTopic, pollMs, stopped.signal); // starts before the search, so that no notification is missed
      const found = await startNext().catch((err) => {
        log.warn({ err }, "dead letters could not be redriven, trying again");
        return false;
      });
      if (!found) await woken;
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
