import { RunControl } from "@langchain/langgraph";
import { LostRight } from "../checkpoints/saver.ts";
import { isDatabaseTrouble } from "../db/failure.ts";
import type { CancelAction } from "../runs/run.ts";
import { now } from "./liveness-news.ts";

/** Why an attempt was told to stop. This reason decides how the run ends, not the error that the graph throws because of it. */
export type StopReason =
  | { kind: "cancel"; action: CancelAction }
  | { kind: "timeout"; seconds: number }
  /** The process is shutting down. Another attempt continues. */
  | { kind: "shutdown" }
  /** The right to write is lost. This attempt may report nothing any more. */
  | { kind: "lost" }
  /** Something that the run needs was refused: its state cannot be stored, or its events come too fast. */
  | { kind: "failed"; error: Error }
  /** The database did not answer. Another attempt continues from what it has stored. */
  | { kind: "unreachable"; error: Error };

/** Returns why an attempt stops after an error from storing something. */
export function stopReasonOf(error: Error): StopReason {
  if (error instanceof LostRight) return { kind: "lost" };
  return isDatabaseTrouble(error) ? { kind: "unreachable", error } : { kind: "failed", error };
}

/** A stop reason as an error. Nodes see it as an AbortError. */
export class AttemptStopped extends Error {
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(`The run was stopped: ${reason.kind}.`);
    this.name = "AbortError";
    this.reason = reason;
  }
}

/** The handle by which the worker reaches a running attempt. */
export interface AttemptControl {
  readonly signal: AbortSignal;
  readonly stopped: StopReason | undefined;
  /** True once the graph is done and only its result is left to store. */
  readonly performed: boolean;
  /** Asks LangGraph to stop before its next super-step. */
  readonly graphControl: RunControl;
  /** Aborts the nodes. Only the first reason counts. */
  stop(reason: StopReason): void;
  /** Marks the graph as done. */
  leaveGraph(): void;
  /** Notes that a node began or finished, as the graph's stream reports. */
  noteTask(task: { id: string; name: string; finished: boolean }): void;
  /** Returns the nodes that were running at some time since then. Those that finished first come first. */
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
      // Only the newest step counts. Tasks that finished before it began are dropped.
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
