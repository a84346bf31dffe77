import { RunControl } from "@langchain/langgraph";
import { LostRight } from "../checkpoints/saver.ts";
import { isDatabaseTrouble } from "../db/failure.ts";
import type { CancelAction } from "../runs/run.ts";
import { now } from "./liveness-news.ts";

/**
 * Why an attempt was told to stop. The reason decides how the run ends. The error that the graph throws because of the stop does not count.
 */
export type StopReason =
  | { kind: "cancel"; action: CancelAction }
  | { kind: "timeout"; seconds: number }
  /** The process is shutting down. Another attempt continues the run. */
  | { kind: "shutdown" }
  /** The attempt has lost its right to write. It may not report anything any more. */
  | { kind: "lost" }
  /** A write that the run needs was refused: its state cannot be stored, or its events arrive too fast. */
  | { kind: "failed"; error: Error }
  /** The database did not answer. Another attempt continues from what this one has stored. */
  | { kind: "unreachable"; error: Error };

/** Returns the stop reason for an error that occurred while something was stored. */
export function stopReasonOf(error: Error): StopReason {
  if (error instanceof LostRight) return { kind: "lost" };
  return isDatabaseTrouble(error) ? { kind: "unreachable", error } : { kind: "failed", error };
}

/** A stop reason as an error. Nodes see an AbortError. */
export class AttemptStopped extends Error {
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(`The run was stopped: ${reason.kind}.`);
    this.name = "AbortError";
    this.reason = reason;
  }
}

/** The handle with which the worker controls a running attempt. */
export interface AttemptControl {
  readonly signal: AbortSignal;
  readonly stopped: StopReason | undefined;
  /** True once the graph has finished, and only its result is left to store. */
  readonly performed: boolean;
  /** Lets the worker ask LangGraph to stop before its next super-step. */
  readonly graphControl: RunControl;
  /** Aborts the nodes. If called several times, only the first reason counts. */
  stop(reason: StopReason): void;
  /** Marks the graph as finished. */
  leaveGraph(): void;
  /** Records that a node began or finished, as the graph's stream reports. */
  noteTask(task: { id: string; name: string; finished: boolean }): void;
  /** Returns the nodes that have been running at any time since `moment`. Nodes that finished first come first. */
  nodesSince(moment: number): string[];
}

export function createControl(onPerformed: () => void): AttemptControl {
  const controller = new AbortController();
  const graphControl = new RunControl();
  const tasks = new Map<string, { name: string; finishedAt: number }>();
  let stopped: StopReason | undefined;
  let performed = false;
  return {
    noteTask({ id, name, finished }) {
      // Only the newest step counts. When it begins, the tasks of earlier steps are dropped.
      if (!finished && [...tasks.values()].every((task) => task.finishedAt < Number.POSITIVE_INFINITY)) tasks.clear();
      tasks.set(id, { name, finishedAt: finished ? now() : Number.POSITIVE_INFINITY });
    },
    nodesSince: (moment) =>
      [...tasks.values()]
        .filter(({ finishedAt }) => finishedAt >= moment)
        .sort((a, b) => a.finishedAt - b.finishedAt)
        .map(({ name }) => name),
    signal: controller.signal,
    graphControl,
    get stopped() {
      return stopped;
    },
    get performed() {
      return performed;
    },
    leaveGraph() {
      performed = true;
      onPerformed();
    },
    stop(reason) {
      if (stopped) return;
      stopped = reason;
      controller.abort(new AttemptStopped(reason));
    },
  };
}
