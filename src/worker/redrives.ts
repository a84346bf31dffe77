import { letterTopic } from "../letters/letter.ts";
import { startNextRun } from "../redrives/redrive.ts";
import type { RunDefaults } from "../runs/request.ts";
import { announceRuns } from "../runs/submit.ts";
import type { WorkerDeps } from "./worker-deps.ts";

const pollMs = 1_000;

/**
 * Creates the runs that redrive dead letters, which means that failed work is tried again. Looks for waiting letters every second, and as
 * soon as somebody requests a redrive or the run of a redrive ends. Any number of processes may do this at the same time.
 */
export function startRedrives({ pool, wakeups, log }: WorkerDeps, defaults: RunDefaults): { stop(): Promise<void> } {
  const stopped = new AbortController();

  /** Creates the run of the next waiting letter. Returns true if the caller should look for another letter immediately. */
  async function startNext(): Promise<boolean> {
    const started = await startNextRun(pool, defaults);
    if (!started) return false;
    const { letterId: letter_id, refused: reason } = started;
    if (reason !== undefined) log.warn({ letter_id, reason }, "a dead letter could not be redriven");
    else if (letter_id !== undefined) announceRuns(wakeups, ["enqueue"]);
    return true;
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
