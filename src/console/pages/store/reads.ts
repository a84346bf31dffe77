import type { UseQueryResult } from "@tanstack/react-query";
import { answerOf, answerWithHeaders, api, type Schemas } from "../../api.ts";
import { useLive } from "../../live.ts";
import { parseObject } from "../../parts/json-field.tsx";
import type { Place } from "./place.ts";

export type FoundItem = Schemas["Item"] & { score?: number };

export const pageSize = 50;
const everyMs = 8_000;

/** Returns the namespaces directly below a path. */
export const useChildren = (path: string[], limit: number, enabled: boolean): UseQueryResult<string[][]> =>
  useLive(
    ["store", "namespaces", path, limit],
    async (signal) => {
      const body = { prefix: path, max_depth: path.length + 1, limit };
      const { namespaces } = await answerOf(api.POST("/store/namespaces", { body, signal }));
      return namespaces.filter(({ length }) => length > path.length);
    },
    { every: everyMs, enabled },
  );

export interface FoundItems {
  items: FoundItem[];
  hasMore: boolean;
}

/**
 * Reads a page of the items in a namespace and below it. Requests one item more than a page holds, to know whether there is a next page.
 */
export const useItems = ({ namespace, query, filter, offset }: Place): UseQueryResult<FoundItems> =>
  useLive(
    ["store", "items", namespace, query, filter, offset],
    async (signal) => {
      const parsed = parseObject(filter);
      const body = {
        namespace_prefix: namespace,
        query: query || null,
        filter: "value" in parsed ? parsed.value : null,
        limit: pageSize + 1,
        offset,
        refresh_ttl: false, // reading an item here must not extend its time to live
      };
      const { data, headers } = await answerWithHeaders(api.POST("/store/items/search", { body, signal }));
      const isCut = headers.has("x-pagination-next");
      return { items: isCut ? data.items : data.items.slice(0, pageSize), hasMore: isCut || data.items.length > pageSize };
    },
    { every: everyMs },
  );

/** Reads an item. The data is null if there is no such item. */
export const useItem = (namespace: string[], key: string): UseQueryResult<FoundItem | null> =>
  useLive(
    ["store", "item", namespace, key],
    async (signal) => {
      const query = { namespace, key, refresh_ttl: "false" as const };
      return answerOf(api.GET("/store/items", { params: { query }, signal }));
    },
    { every: everyMs },
  );
