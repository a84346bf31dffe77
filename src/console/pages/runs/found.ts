import { useQueries } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { answerWithHeaders, api, type Schemas } from "../../api.ts";
import { useLive } from "../../live.ts";
import { type Filters, type SearchBody, toSearch } from "./filters.ts";

const pageSize = 100;
const everyMs = 5_000;
const columns = [
  "run_id",
  "thread_id",
  "assistant_id",
  "graph_id",
  "status",
  "created_at",
  "started_at",
  "ended_at",
  "duration_ms",
  "error",
] as const;

/** A run in the list. It lacks fields that may be large, such as the input. */
export type ListedRun = Pick<Schemas["FoundRun"], (typeof columns)[number]>;

interface Found {
  runs: ListedRun[];
  total: number;
  isEstimate: boolean;
}

/** Searches runs. Returns a page of them, and the total number of matching runs. */
export async function searchRuns(search: SearchBody, signal?: AbortSignal): Promise<Found> {
  const body = { ...search, select: [...(search.select ?? columns)] };
  const { data, headers } = await answerWithHeaders(api.POST("/runs/search", { body, ...(signal && { signal }) }));
  const total = Number(headers.get("x-pagination-total") ?? data.length);
  return { runs: data, total, isEstimate: headers.get("x-pagination-total-estimated") === "true" };
}

export interface FoundRuns {
  total: number;
  isEstimate: boolean;
  isLoading: boolean;
  error: unknown;
  /** Returns the run in this row, or undefined until the row is loaded. */
  at: (index: number) => ListedRun | undefined;
  /**
   * The number of runs that were created since the person scrolled down. They are added to the list when the person scrolls back to the
   * top.
   */
  newer: number;
  onRange: (first: number, last: number) => void;
  refresh: () => void;
}

/**
 * Loads the pages of the list that are on the screen, and reads them again every few seconds. New runs are added while the first row is on
 * the screen. After the person has scrolled down, no new runs are added, so that no row moves.
 */
export function useFoundRuns(filters: Filters): FoundRuns {
  const key = JSON.stringify(filters);
  const [range, setRange] = useState({ first: 0, last: 0 });
  const [anchor, setAnchor] = useState<string>();
  const known = useKnown(key);
  const pages = pagesIn(range);
  const results = useQueries({
    queries: pages.map((page) => ({
      queryKey: ["runs", key, anchor ?? "", page],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        searchRuns({ ...until(toSearch(filters), anchor), limit: pageSize, offset: page * pageSize }, signal),
      refetchInterval: everyMs,
      placeholderData: undefined,
    })),
  });
  for (const [index, { data }] of results.entries()) if (data) known.keep((pages[index] ?? 0) * pageSize, data);
  const newer = useLive(
    ["runs", key, "newer", anchor ?? ""],
    (signal) => searchRuns({ ...toSearch(filters), ...since(anchor), limit: 1, select: ["run_id"] }, signal),
    {
      every: everyMs,
      enabled: anchor !== undefined,
    },
  );
  const onRange = (first: number, last: number) => {
    setRange({ first, last });
    if (first === 0) setAnchor(undefined);
    else setAnchor((old) => old ?? after(known.at(0)));
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: other filters begin at the top
  useEffect(() => setAnchor(undefined), [key]);
  const failed = results.find(({ error, data }) => error && !data);
  return {
    ...known.totals(),
    isLoading: !known.isFilled() && !failed,
    error: known.isFilled() ? undefined : failed?.error,
    at: known.at,
    newer: anchor === undefined ? 0 : (newer.data?.total ?? 0),
    onRange,
    refresh: () => void Promise.all(results.map(({ refetch }) => refetch())),
  };
}

/** Keeps the loaded rows, so that a row stays on the screen while its page is read again. */
function useKnown(key: string) {
  const kept = useRef<{ key: string; rows: Map<number, ListedRun>; found?: Found }>({ key, rows: new Map() });
  if (kept.current.key !== key) kept.current = { key, rows: new Map() };
  const { current } = kept;
  return {
    keep(offset: number, found: Found) {
      current.found = found;
      for (const [index, run] of found.runs.entries()) current.rows.set(offset + index, run);
    },
    at: (index: number) => current.rows.get(index),
    isFilled: () => current.found !== undefined,
    totals: () => ({ total: current.found?.total ?? 0, isEstimate: current.found?.isEstimate ?? false }),
  };
}

function pagesIn({ first, last }: { first: number; last: number }): number[] {
  const start = Math.floor(first / pageSize);
  return Array.from({ length: Math.floor(last / pageSize) - start + 1 }, (_, page) => start + page);
}

/** Returns the time one millisecond after a run was created, which separates the run from newer runs. Returns undefined without a run. */
const after = (run: ListedRun | undefined) => run && new Date(Date.parse(run.created_at) + 1).toISOString();

const until = (search: SearchBody, anchor: string | undefined): SearchBody =>
  anchor === undefined || (search.created_until !== undefined && search.created_until < anchor)
    ? search
    : { ...search, created_until: anchor };

const since = (anchor: string | undefined): SearchBody => (anchor === undefined ? {} : { created_since: anchor });
