import { AsyncLocalStorage } from "node:async_hooks";

/** The state of a stalled call: `slow` if the model has recently sent a part of its answer, and otherwise `dead`. */
export type StallState = "slow" | "dead";

/** A call of an agent, while it is open. */
export interface WatchedCall {
  agent: string;
  pattern: string;
  /** The run counts as stalled only if no call has ended for at least this number of seconds. */
  stalledSeconds: number;
  openedAt: number;
  /** When the model last sent a part of its answer. */
  signAt?: number;
  /** Set if the run stalled because of this call. */
  stalled?: StallState;
  /** Called when the run stalls because of this call. */
  onStall(state: StallState): void;
}

export interface StallWatch {
  opened(call: WatchedCall): void;
  closed(call: WatchedCall): void;
}

/** The number of recent calls from whose durations the median is computed. */
const mostDurations = 101;

/**
 * Watches the calls of one execution of a run. The run stalls if calls are open and none of them ends within a time limit. The limit is
 * twice the median duration of the ended calls, or `stalledSeconds` if that is longer. After a stall, the watch marks the oldest open call
 * and writes one event. The watch has a timer only while calls are open.
 */
export function watchForStalls(write: ((event: unknown) => void) | undefined): StallWatch {
  const open = new Set<WatchedCall>();
  const durations: number[] = [];
  let endedAt = 0;
  let hasStalled = false;
  let timer: NodeJS.Timeout | undefined;
  // LangGraph uses the current async context to decide to which graph an event belongs. The timer therefore runs in the async context in
  // which this watch was created, and not in the context of an agent's subgraph.
  const outside = AsyncLocalStorage.snapshot();

  function restart(): void {
    clearTimeout(timer);
    timer = undefined;
    const [oldest] = open;
    if (!oldest || hasStalled) return;
    const limitMs = Math.max(2 * median(durations), oldest.stalledSeconds * 1_000);
    const since = Math.max(endedAt, oldest.openedAt);
    timer = setTimeout(() => outside(() => stall(oldest, limitMs)), Math.max(0, since + limitMs - performance.now()));
    timer.unref();
  }

  function stall(call: WatchedCall, limitMs: number): void {
    hasStalled = true;
    const now = performance.now();
    const state = call.signAt !== undefined && now - call.signAt < limitMs / 2 ? "slow" : "dead";
    call.stalled = state;
    call.onStall(state);
    const { agent, pattern, openedAt } = call;
    write?.({ type: "stalled", pattern, agent, state, expectedMs: Math.round(limitMs / 2), elapsedMs: Math.round(now - openedAt) });
  }

  return {
    opened(call) {
      open.add(call);
      if (open.size === 1) restart();
    },
    closed(call) {
      if (!open.delete(call)) return;
      endedAt = performance.now();
      if (durations.push(endedAt - call.openedAt) > mostDurations) durations.shift();
      restart();
    },
  };
}

/** Returns the median, or 0 for an empty list. */
function median(values: number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}
