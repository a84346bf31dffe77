import type { Db } from "../db/sql.ts";
import type { EventFeed } from "../events/feed.ts";
import { type LoggedEvent, newestEventId, type RunEvent } from "../events/log.ts";
import { numbersPerEvent } from "../runs/event-base.ts";
import { type BegunRun, type EndedRun, findEndedRun } from "../runs/thread-runs.ts";
import { numberOf } from "./event.ts";

/** What of a thread a classic client follows: all that its runs log, their beginnings and ends, or the states that they reach. */
export type ThreadMode = "run_modes" | "lifecycle" | "state_update";

export interface ClassicOptions {
  /** The number of the last event that the client has. */
  since: number;
  modes: ThreadMode[];
}

/** One run of a thread in the words of the classic streams, under the thread's numbers, to its end. */
export async function* tellClassic(
  { pool, feed }: { pool: Db; feed: EventFeed },
  run: BegunRun,
  { since, modes }: ClassicOptions,
  signal: AbortSignal,
): AsyncGenerator<RunEvent[], void> {
  const isWanted = ({ mode, id }: Told) => modes.includes(mode) && id > since;
  // The event that the client has last may have more to tell in another mode.
  const after = Math.max(-1, Math.floor((since - run.base) / numbersPerEvent) - 1);
  for await (const events of feed.follow(run.runId, after, signal)) {
    yield events.flatMap((event) => projectLogged(run, event)).filter(isWanted);
  }
  if (signal.aborted) return;
  const end = await findEndedRun(pool, run.runId);
  const last = await newestEventId(pool, run.runId);
  yield tellEnd(run, last + 1, end).filter(isWanted);
}

interface Told extends RunEvent {
  mode: ThreadMode;
}

/** What is told for one logged event has the numbers from that event's own on, in the order of the modes. */
function projectLogged({ base, runId }: BegunRun, { id, event, data }: LoggedEvent): Told[] {
  const number = numberOf(base, id);
  const logged: Told = { mode: "run_modes", id: number, event, data };
  if (event === "metadata" && id === 0) {
    const running = JSON.stringify({ run_id: runId, event: "running" });
    return [logged, { mode: "lifecycle", id: number + 1, event: "lifecycle", data: running }];
  }
  if (event !== "values" || data.startsWith('{"__interrupt__":')) return [logged];
  return [logged, { mode: "state_update", id: number + 2, event: "state_update", data: `{"run_id":"${runId}","values":${data}}` }];
}

function tellEnd({ base, runId }: BegunRun, id: number, end: EndedRun | undefined): Told[] {
  const number = numberOf(base, id);
  const status = end?.status ?? "interrupted"; // it was rolled back
  const done = JSON.stringify({ run_id: runId, status });
  const event = outcomes[status] ?? "completed";
  const over = JSON.stringify({ run_id: runId, event: end?.asked ? "interrupted" : event, ...(end?.error && { error: end.error }) });
  return [
    { mode: "run_modes", id: number, event: "run_done", data: done },
    { mode: "lifecycle", id: number + 1, event: "lifecycle", data: over },
  ];
}

const outcomes: Record<string, string> = { error: "failed", timeout: "failed", interrupted: "interrupted" };
