import { useState } from "react";

export interface Selection<Entry> {
  /** The chosen entries by their keys. */
  chosen: ReadonlyMap<string, Entry>;
  choose: (entries: Entry[], isOn: boolean) => void;
}

/** Keeps the chosen entries of a list. An entry stays chosen when another page of the list is shown. */
export function useSelection<Entry>(keyOf: (entry: Entry) => string): Selection<Entry> {
  const [chosen, setChosen] = useState<ReadonlyMap<string, Entry>>(new Map());
  const choose = (entries: Entry[], isOn: boolean) =>
    setChosen((old) => {
      const next = new Map(old);
      for (const entry of entries) isOn ? next.set(keyOf(entry), entry) : next.delete(keyOf(entry));
      return next;
    });
  return { chosen, choose };
}
