import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, type Ref, useEffect, useImperativeHandle, useRef } from "react";

export interface ListHandle {
  /** Scrolls to the first row. */
  toTop: () => void;
}

interface Props {
  /** The name of the list for screen readers. */
  label: string;
  count: number;
  rowHeight: number;
  /** A line above the rows that stays in place when the rows scroll. */
  header?: ReactNode;
  row: (index: number) => ReactNode;
  keyOf?: (index: number) => string | number;
  /** Called with the indexes of the first and the last row on the screen. */
  onRange?: (first: number, last: number) => void;
  className?: string;
  handle?: Ref<ListHandle>;
}

/** A list whose rows all have the same height. Only the rows on the screen are rendered, so that 10,000 rows scroll smoothly. */
export function VirtualList({ label, count, rowHeight, header, row, keyOf, onRange, className = "", handle }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count,
    estimateSize: () => rowHeight,
    getScrollElement: () => scroller.current,
    overscan: 12,
    ...(keyOf && { getItemKey: keyOf }),
  });
  useImperativeHandle(handle, () => ({ toTop: () => rows.scrollToOffset(0) }), [rows]);
  const items = rows.getVirtualItems();
  const [first, last] = [items[0]?.index ?? 0, items.at(-1)?.index ?? 0];
  const report = useRef(onRange);
  report.current = onRange;
  useEffect(() => report.current?.(first, last), [first, last]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another height needs new places
  useEffect(() => rows.measure(), [rows, rowHeight]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the list scrolls, so the keyboard must reach it
    <div ref={scroller} className={`min-h-0 flex-1 overflow-auto ${className}`} tabIndex={0} role="region" aria-label={label}>
      <div role="table" aria-label={label} aria-rowcount={count + 1} className="min-w-full">
        {header && (
          <div role="row" aria-rowindex={1} className="sticky top-0 z-10">
            {header}
          </div>
        )}
        <div role="rowgroup" className="relative" style={{ height: rows.getTotalSize() }}>
          {items.map(({ key, index, start }) => (
            <div
              key={key}
              role="row"
              aria-rowindex={index + 2}
              className="absolute inset-x-0 top-0"
              style={{ height: rowHeight, transform: `translateY(${start}px)` }}
            >
              {row(index)}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}
