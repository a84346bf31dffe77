import { useCallback, useMemo } from "react";
import { useSearchParams } from "wouter";

/**
 * Reads the filters of a page from its URL. The second value changes some of them there, so that a link or the back button brings them
 * back. `parse` and `write` must be the same functions at each call.
 */
export function useUrlFilters<Filters extends object>(
  parse: (params: URLSearchParams) => Filters,
  write: (filters: Filters) => URLSearchParams,
): [Filters, (changes: Partial<Filters>) => void] {
  const [params, setParams] = useSearchParams();
  const text = params.toString();
  const filters = useMemo(() => parse(new URLSearchParams(text)), [text, parse]);
  const change = useCallback(
    (changes: Partial<Filters>) => {
      setParams((old) => write({ ...parse(old), ...changes }), { replace: true });
    },
    [setParams, parse, write],
  );
  return [filters, change];
}
