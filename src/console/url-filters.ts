import { useCallback, useMemo } from "react";
import { useSearchParams } from "wouter";

/**
 * Returns the filters in a page's URL, and a function that changes some of them in the URL. A link to the page thus contains its filters.
 * Define `parse` and `write` outside the component, because new functions at each rendering would make new filter objects.
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
