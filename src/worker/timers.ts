import { setTimeout as sleep } from "node:timers/promises";
import { announceRuns } from "../runs/submit.ts";
import { timeOutQuestion } from "../runs/time-out.ts";
import type { WorkerDeps } from "./worker-deps.ts";

const pollMs = 1_000;

/**
 * Creates a run for each question that has timed out. The run continues the thread without an answer. Checks every second whether a
 * question has timed out by the database's clock. Any number of processes may do this at the same time.
 */
export function startTimers({ pool, wakeups, log }: WorkerDeps): { stop(): Promise<void> } {
  const stopped = new AbortController();

  /** Handles one question that is due. Returns false if there is none. */
  async function handleOne(): Promise<boolean> {
    const handled = await timeOutQuestion(pool);
    if (!handled) return false;
    const { threadId: thread_id, error: err } = handled;
    if (err) log.warn({ err, thread_id }, "a question could not be timed out, trying again in a minute");
    else announceRuns(wakeups, ["enqueue"]);
    return true;
  }

  async function loop(): Promise<void> {
    while (!stopped.signal.aborted) {
      const found = await handleOne().catch((err) => {
        log.warn({ err }, "due questions could not be looked for, trying again");
        return false;
      });
      if (!found) await sleep(pollMs, undefined, { signal: stopped.signal }).catch(() => {});
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
