import { useQueries } from "@tanstack/react-query";
import { useRef, useState } from "react";

/** A page of a list, with the total number of rows in the list. */
export interface PageOfRows<Row> {
  rows: Row[];
  total: number;
}

interface Options<Row> {
  /** The key of the list in the query cache. The key contains the filters of the list. */
  key: string[];
  pageSize: number;
  /** The interval in milliseconds at which the rows on the screen are read again. */
  every: number;
  read: (at: { limit: number; offset: number }, signal: AbortSignal) => Promise<PageOfRows<Row>>;
}

export interface Pages<Row> {
  total: number;
  isLoading: boolean;
  error: unknown;
  /** Returns the row at this index, or undefined until the row is loaded. */
  at: (index: number) => Row | undefined;
  /** Reports which rows are on the screen, so that their pages are loaded. Pass this function to `VirtualList`. */
  onRange: (first: number, last: number) => void;
  refresh: () => void;
}

/** Loads the pages of a long list that are on the screen, and reads them again every few seconds. */
export function usePages<Row>({ key, pageSize, every, read }: Options<Row>): Pages<Row> {
  const [range, setRange] = useState({ first: 0, last: 0 });
  const name = key.join("\n");
  const kept = useRef<{ name: string; rows: Map<number, Row>; total?: number }>({ name, rows: new Map() });
  if (kept.current.name !== name) kept.current = { name, rows: new Map() };
  const start = Math.floor(range.first / pageSize);
  const pages = Array.from({ length: Math.floor(range.last / pageSize) - start + 1 }, (_, page) => start + page);
  const results = useQueries({
    queries: pages.map((page) => ({
      queryKey: [...key, page],
      queryFn: ({ signal }: { signal: AbortSignal }) => read({ limit: pageSize, offset: page * pageSize }, signal),
      refetchInterval: every,
      placeholderData: undefined,
    })),
  });
  const { rows } = kept.current;
  for (const [place, { data }] of results.entries()) {
    if (!data) continue;
    kept.current.total = data.total;
    for (const [index, row] of data.rows.entries()) rows.set((pages[place] ?? 0) * pageSize + index, row);
  }
  const { total } = kept.current;
  const failed = results.find(({ error, data }) => error && !data);
  return {
    total: total ?? 0,
    isLoading: total === undefined && !failed,
    error: total === undefined ? failed?.error : undefined,
    at: (index) => (index < (total ?? 0) ? rows.get(index) : undefined),
    onRange: (first, last) => setRange((old) => (old.first === first && old.last === last ? old : { first, last })),
    refresh: () => void Promise.all(results.map(({ refetch }) => refetch())),
  };
}
