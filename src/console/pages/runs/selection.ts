import { useRef, useState } from "react";
import type { ListedRun } from "./found.ts";

export type ChosenRun = Pick<ListedRun, "run_id" | "thread_id" | "status">;

export interface Selection {
  runs: ChosenRun[];
  has: (runId: string) => boolean;
  /**
   * Selects the run of a row, or removes it from the selection. With Shift, does the same for all rows between this row and the last
   * toggled one.
   */
  toggle: (index: number, isChosen: boolean, withShift: boolean) => void;
  add: (runs: ChosenRun[]) => void;
  remove: (runIds: string[]) => void;
  clear: () => void;
}

/** Keeps the selected runs by their ids. A run stays selected when the list is read again, and when its row has left the screen. */
export function useSelection(at: (index: number) => ListedRun | undefined): Selection {
  const [chosen, setChosen] = useState(new Map<string, ChosenRun>());
  const last = useRef<number>(undefined);
  const edit = (work: (copy: Map<string, ChosenRun>) => void) =>
    setChosen((old) => {
      const copy = new Map(old);
      work(copy);
      return copy;
    });
  const add = (runs: ChosenRun[]) => edit((copy) => runs.forEach((run) => void copy.set(run.run_id, run)));
  const remove = (runIds: string[]) => edit((copy) => runIds.forEach((id) => void copy.delete(id)));
  return {
    runs: [...chosen.values()],
    has: (runId) => chosen.has(runId),
    toggle(index, isChosen, withShift) {
      const start = withShift ? (last.current ?? index) : index;
      last.current = index;
      const [from, to] = [Math.min(start, index), Math.max(start, index)];
      const rows = Array.from({ length: to - from + 1 }, (_, step) => at(from + step)).filter((run) => run !== undefined);
      if (isChosen) add(rows);
      else remove(rows.map(({ run_id }) => run_id));
    },
    add,
    remove,
    clear: () => setChosen(new Map()),
  };
}
