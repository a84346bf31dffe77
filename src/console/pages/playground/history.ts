import { useSyncExternalStore } from "react";
import type { RunStatus } from "../../parts/status.tsx";

/** A run that was started in this tab. */
export interface PastRun {
  assistantId: string;
  name: string;
  threadId: string;
  runId: string;
  startedAt: number;
  status: RunStatus;
}

const key = "ensemble.playground";
const mostKept = 20;
const listeners = new Set<() => void>();
let runs = read();

function read(): PastRun[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(key) ?? "[]");
    return Array.isArray(kept) ? (kept as PastRun[]) : [];
  } catch {
    return [];
  }
}

function set(next: PastRun[]): void {
  runs = next.slice(0, mostKept);
  sessionStorage.setItem(key, JSON.stringify(runs));
  for (const listener of listeners) listener();
}

/** Returns the last runs that were started in this tab, the newest first. */
export const usePastRuns = (): PastRun[] =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => runs,
  );

/** Returns the newest run that was started in this tab, if the tab has not seen it end. */
export const unfinishedRun = (): PastRun | undefined => (runs[0]?.status === "running" ? runs[0] : undefined);

export const noteRun = (run: PastRun): void => set([run, ...runs]);

export const noteEnd = (runId: string, status: RunStatus): void => set(runs.map((run) => (run.runId === runId ? { ...run, status } : run)));
