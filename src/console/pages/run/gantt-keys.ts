import type { Virtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type RefObject, useState } from "react";
import type { Row } from "./rows.ts";

interface Keyed {
  rows: Row[];
  closed: ReadonlySet<string>;
  toggle: (key: string) => void;
  list: Virtualizer<HTMLDivElement, Element>;
  scroller: RefObject<HTMLDivElement | null>;
}

/** The number of rows that the Page Up and Page Down keys skip. */
const pageRows = 10;

/** Handles the keys of the chart. Tab moves the focus to one row only. The arrow keys move to the other rows, and open or fold them. */
export function useRowKeys({ rows, closed, toggle, list, scroller }: Keyed) {
  const [active, setActive] = useState(0);
  const current = Math.min(active, rows.length - 1);
  const goTo = (wanted: number) => {
    const index = Math.min(rows.length - 1, Math.max(0, wanted));
    list.scrollToIndex(index);
    setActive(index);
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-row="${index}"]`)?.focus());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[current];
    const target = {
      ArrowDown: current + 1,
      ArrowUp: current - 1,
      PageDown: current + pageRows,
      PageUp: current - pageRows,
      Home: 0,
      End: rows.length - 1,
    }[event.key];
    if (row && folds(row, event.key, closed.has(row.key))) toggle(row.key);
    else if (target !== undefined) goTo(target);
    else return;
    event.preventDefault();
  };
  return { current, setActive, onKeyDown };
}

function folds(row: Row, key: string, isClosed: boolean): boolean {
  if (!("hasChildren" in row) || !row.hasChildren) return false;
  return key === "Enter" || key === (isClosed ? "ArrowRight" : "ArrowLeft");
}
