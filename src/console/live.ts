import { QueryClient, type QueryKey, type UseQueryResult, useQuery } from "@tanstack/react-query";
import { ApiFailure } from "./api.ts";
import { onRestored } from "./connection.ts";

/** Tells whether a failed request may succeed later: the service did not answer, was overloaded, or had an internal error. */
export const isPassing = (error: unknown) =>
  !(error instanceof ApiFailure) || error.status === 0 || error.status === 429 || error.status >= 500;

/** The cache of the API's answers. A page that is opened again shows the cached answer immediately, and requests a new one. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      networkMode: "always", // send requests even if the browser is offline, because the service may run on this machine
      retry: (failures, error) => failures < 2 && isPassing(error),
      retryDelay: 1_000,
      staleTime: 1_000,
      placeholderData: (previous: unknown) => previous,
    },
    mutations: { networkMode: "always" },
  },
});

onRestored(() => void queries.invalidateQueries());

interface Options {
  /** Milliseconds between two reads while the page is visible. */
  every?: number;
  enabled?: boolean;
}

/**
 * Requests data from the API, and requests it again every few seconds while the page is visible. The last answer stays on the page until
 * the next one arrives.
 */
export function useLive<Data>(
  key: QueryKey,
  read: (signal: AbortSignal) => Promise<Data>,
  { every = 4_000, enabled = true }: Options = {},
): UseQueryResult<Data> {
  return useQuery({ queryKey: key, queryFn: ({ signal }) => read(signal), refetchInterval: every, enabled });
}
