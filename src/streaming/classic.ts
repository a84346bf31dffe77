import type { Db } from "../db/sql.ts";
import type { EventFeed } from "../events/feed.ts";
import { type LoggedEvent, newestEventId, type RunEvent } from "../events/log.ts";
import { numbersPerEvent } from "../runs/event-base.ts";
import { type BegunRun, type EndedRun, findEndedRun } from "../runs/thread-runs.ts";
import { numberOf } from "./event.ts";

/**
 * A mode of the classic thread stream. `run_modes` are the logged events of the runs. `lifecycle` are the starts and ends of runs.
 * `state_update` are the final states of runs.
 */
export type ThreadMode = "run_modes" | "lifecycle" | "state_update";

export interface ClassicOptions {
  /** The number of the last event that the client has received. */
  since: number;
  modes: ThreadMode[];
}

/**
 * Yields the events of one run of a thread, in the form of the classic thread stream, until the run ends. The ids of these events are the
 * thread's event numbers.
 */
export async function* followClassic(
  { pool, feed }: { pool: Db; feed: EventFeed },
  run: BegunRun,
  { since, modes }: ClassicOptions,
  signal: AbortSignal,
): AsyncGenerator<RunEvent[], void> {
  const isWanted = ({ mode, id }: ModeEvent) => modes.includes(mode) && id > since;
  // Starts with the logged event from which the client's last event was made. One logged event may become several events, and the client
  // may have received only the first of them.
  const after = Math.max(-1, Math.floor((since - run.base) / numbersPerEvent) - 1);
  for await (const events of feed.follow(run.runId, after, signal)) {
    yield events.flatMap((event) => projectLogged(run, event)).filter(isWanted);
  }
  if (signal.aborted) return;
  const end = await findEndedRun(pool, run.runId);
  const last = await newestEventId(pool, run.runId);
  yield projectEnd(run, last + 1, end).filter(isWanted);
}

interface ModeEvent extends RunEvent {
  mode: ThreadMode;
}

/**
 * Returns the events of the classic thread stream for one logged event. The event itself gets the number of the logged event. An additional
 * event of the mode `lifecycle` gets the next number, and one of the mode `state_update` gets the number after that.
 */
function projectLogged({ base, runId }: BegunRun, { id, event, data }: LoggedEvent): ModeEvent[] {
  const number = numberOf(base, id);
  const logged: ModeEvent = { mode: "run_modes", id: number, event, data };
  if (event === "metadata" && id === 0) {
    const running = JSON.stringify({ run_id: runId, event: "running" });
    return [logged, { mode: "lifecycle", id: number + 1, event: "lifecycle", data: running }];
  }
  if (event !== "values" || data.startsWith('{"__interrupt__":')) return [logged];
  return [logged, { mode: "state_update", id: number + 2, event: "state_update", data: `{"run_id":"${runId}","values":${data}}` }];
}

function projectEnd({ base, runId }: BegunRun, id: number, end: EndedRun | undefined): ModeEvent[] {
  const number = numberOf(base, id);
  const status = end?.status ?? "interrupted"; // the row of a run is missing if the run was rolled back
  const done = JSON.stringify({ run_id: runId, status });
  const event = outcomes[status] ?? "completed";
  const over = JSON.stringify({ run_id: runId, event: end?.asked ? "interrupted" : event, ...(end?.error && { error: end.error }) });
  return [
    { mode: "run_modes", id: number, event: "run_done", data: done },
    { mode: "lifecycle", id: number + 1, event: "lifecycle", data: over },
  ];
}

const outcomes: Record<string, string> = { error: "failed", timeout: "failed", interrupted: "interrupted" };
