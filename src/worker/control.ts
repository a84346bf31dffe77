import { RunControl } from "@langchain/langgraph";
import { LostRight } from "../checkpoints/saver.ts";
import { isDatabaseTrouble } from "../db/failure.ts";
import type { CancelAction } from "../runs/run.ts";
import { now } from "./liveness-news.ts";

/** Why an attempt was told to stop. The signal's reason decides how the run ends, not the name of whatever error comes out. */
export type StopReason =
  | { kind: "cancel"; action: CancelAction }
  | { kind: "timeout"; seconds: number }
  /** The process is going down: another attempt goes on. */
  | { kind: "shutdown" }
  /** The right to write is gone: whatever happens, this attempt may not tell anyone. */
  | { kind: "lost" }
  /** Something that the run needs was refused: its state cannot be stored, its events come too fast. */
  | { kind: "failed"; error: Error }
  /** The database did not answer: what it has is the truth, and another attempt goes on from there. */
  | { kind: "unreachable"; error: Error };

/** Says why an attempt stops that could not store something. */
export function stopReasonOf(error: Error): StopReason {
  if (error instanceof LostRight) return { kind: "lost" };
  return isDatabaseTrouble(error) ? { kind: "unreachable", error } : { kind: "failed", error };
}

/** A stop reason as the signal carries it; nodes see it as an AbortError. */
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
  /** The graph is done with: what is left is to store what it came to. */
  readonly performed: boolean;
  /** By which LangGraph is asked to stop before its next super-step. */
  readonly graphControl: RunControl;
  /** Aborts the nodes. The first reason stays. */
  stop(reason: StopReason): void;
  /** Says that the graph is done with. */
  leaveGraph(): void;
  /** Takes down that a node began or finished, as the graph's stream tells. */
  noteTask(task: { id: string; name: string; finished: boolean }): void;
  /** The nodes that were running at some time since then, those that finished last first. */
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
      // Only the newest step is of interest: what finished before it began is forgotten.
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
