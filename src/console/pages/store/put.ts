import { type UseMutationResult, useMutation } from "@tanstack/react-query";
import { useRef } from "react";
import { answerOf, api } from "../../api.ts";
import { queries } from "../../live.ts";
import { tell } from "../../parts/toast.tsx";
import type { FoundItem } from "./reads.ts";

export interface ItemName {
  namespace: string[];
  key: string;
}

interface ItemPut extends ItemName {
  value: Record<string, unknown>;
  /** The minutes that the item lives. Null means that the item never expires, and undefined means the default of the service. */
  ttl: number | null | undefined;
}

/**
 * Stores an item. If this would replace a version that the person has not seen, the first try fails with a warning. If the person then
 * saves again, the version is replaced.
 */
export function usePut(item: FoundItem | undefined, onDone: (name: ItemName) => void): UseMutationResult<void, Error, ItemPut> {
  const warned = useRef<string>(undefined);
  return useMutation({
    mutationFn: async (put) => {
      const there = await storedAt(put);
      if (there !== undefined && there !== item?.updated_at && there !== warned.current) {
        warned.current = there;
        throw new Error(
          item
            ? "The item has changed since you opened it. Save again to replace it, or cancel to see it."
            : "There is an item with this key already. Save again to replace it.",
        );
      }
      await answerOf(api.PUT("/store/items", { body: put }));
    },
    onSuccess: async (_, { namespace, key }) => {
      await queries.invalidateQueries({ queryKey: ["store"] });
      tell(`The item ${key} was saved.`);
      onDone({ namespace, key });
    },
  });
}

/**
 * Returns the time of the last change of the item with this name, or undefined if there is no such item. An incomplete name is not looked
 * up, because the service will refuse it anyway.
 */
async function storedAt({ namespace, key }: ItemName): Promise<string | undefined> {
  if (namespace.length === 0 || namespace.includes("")) return undefined;
  const query = { namespace, key, refresh_ttl: "false" as const };
  return (await answerOf(api.GET("/store/items", { params: { query } })))?.updated_at;
}
