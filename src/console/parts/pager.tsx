import { IconButton } from "./button.tsx";
import { number } from "./format.ts";

interface Props {
  offset: number;
  /** The number of entries on this page. */
  shown: number;
  size: number;
  /** The number of entries on all pages. Undefined if it is not known. */
  total?: number | undefined;
  hasMore: boolean;
  onOffset: (offset: number) => void;
}

/** The position of the page in a list, and buttons for the previous and the next page. Nothing is shown if all entries fit on one page. */
export function Pager({ offset, shown, size, total, hasMore, onOffset }: Props) {
  if (offset === 0 && !hasMore) return null;
  return (
    <nav aria-label="Pages of the list" className="numbers flex items-center justify-end gap-1 py-2 text-sm text-muted">
      <span className="mr-1">
        {shown === 0 ? "No entries here" : `${number(offset + 1)}–${number(offset + shown)}`}
        {total !== undefined && ` of ${number(total)}`}
      </span>
      <IconButton
        icon="chevron"
        label="Previous page"
        className="rotate-180"
        disabled={offset === 0}
        onClick={() => onOffset(Math.max(0, offset - size))}
      />
      <IconButton icon="chevron" label="Next page" disabled={!hasMore} onClick={() => onOffset(offset + shown)} />
    </nav>
  );
}
