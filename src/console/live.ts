import { QueryClient, type QueryKey, type UseQueryResult, useQuery } from "@tanstack/react-query";
import { ApiFailure } from "./api.ts";
import { onRestored } from "./connection.ts";

/** Whether a request is worth another try: the service did not answer, or answered that it cannot now. */
const isPassing = (error: unknown) => !(error instanceof ApiFailure) || error.status === 0 || error.status === 429 || error.status >= 500;

/** Keeps the answers of the API. A page that comes back shows the last answer at once, and asks again. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      networkMode: "always", // the service may run on this machine
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

/** Reads from the API again every few seconds while the page is visible. The answer before stays on the page until the next one is there. */
export function useLive<Data>(
  key: QueryKey,
  read: (signal: AbortSignal) => Promise<Data>,
  { every = 4_000, enabled = true }: Options = {},
): UseQueryResult<Data> {
  return useQuery({ queryKey: key, queryFn: ({ signal }) => read(signal), refetchInterval: every, enabled });
}
