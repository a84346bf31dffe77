import { RunControl } from "@langchain/langgraph";
import { LostRight } from "../checkpoints/saver.ts";
import { isDatabaseTrouble } from "../db/failure.ts";
import type { CancelAction } from "../runs/run.ts";
import { now } from "./liveness-news.ts";
import type { StreamedTask } from "./translator.ts";

/**
 * The reason why an attempt is stopped. This reason alone decides how the run ends. The error that the graph throws because of the stop is
 * ignored.
 */
export type StopReason =
  | { kind: "cancel"; action: CancelAction }
  | { kind: "timeout"; seconds: number }
  /** The process is shutting down. Another attempt continues the run. */
  | { kind: "shutdown" }
  /**
   * The attempt has lost the right to write. Another process now decides about the run, so this attempt must store and send nothing more.
   */
  | { kind: "lost" }
  /** A necessary write failed, because the state cannot be stored or events arrive faster than they can be stored. */
  | { kind: "failed"; error: Error }
  /** The database did not answer. Another attempt continues from the last stored checkpoint. */
  | { kind: "unreachable"; error: Error };

/** Returns the stop reason for an error that occurred during a write to the database. */
export function stopReasonOf(error: Error): StopReason {
  if (error instanceof LostRight) return { kind: "lost" };
  return isDatabaseTrouble(error) ? { kind: "unreachable", error } : { kind: "failed", error };
}

/** The error with which the graph is aborted. It contains the stop reason. Nodes see an AbortError. */
export class AttemptStopped extends Error {
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(`The run was stopped: ${reason.kind}.`);
    this.name = "AbortError";
    this.reason = reason;
  }
}

/** The interface by which the worker controls a running attempt. */
export interface AttemptControl {
  readonly signal: AbortSignal;
  readonly stopped: StopReason | undefined;
  /** True if the graph has finished. Only the result of the attempt remains to be stored. */
  readonly performed: boolean;
  /** The object by which LangGraph can be told to stop the graph before its next super-step. */
  readonly graphControl: RunControl;
  /** Aborts the attempt's nodes. Only the reason of the first call counts. */
  stop(reason: StopReason): void;
  /** Marks the graph as finished. */
  leaveGraph(): void;
  /** Records that a node began or finished, as the graph's stream reports. */
  noteTask(task: StreamedTask): void;
  /** Returns the names of the nodes that have been running at any time since `moment`, in the order in which they finished. */
  nodesSince(moment: number): string[];
}

export function createControl(onPerformed: () => void): AttemptControl {
  const controller = new AbortController();
  const graphControl = new RunControl();
  const tasks = new Map<string, { name: string; finishedAt: number }>();
  let stopped: StopReason | undefined;
  let performed = false;
  return {
    noteTask({ id, name, end }) {
      // Only the nodes of the newest step are kept. When a task begins and no other task is running, a new step has begun, so the tasks of
      // the step before are dropped.
      if (!end && [...tasks.values()].every((task) => task.finishedAt < Number.POSITIVE_INFINITY)) tasks.clear();
      tasks.set(id, { name, finishedAt: end ? now() : Number.POSITIVE_INFINITY });
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
