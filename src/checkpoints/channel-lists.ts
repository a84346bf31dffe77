import { nextVersion, type StoredList } from "./lists.ts";
import { markOfStored } from "./mark.ts";
import type { ListRow } from "./read.ts";
import type { BlobRow } from "./rows.ts";
import { dumpState, type LoadedItem, type StateSerializer } from "./serializer.ts";

/** One channel of a graph, whatever its version. */
export type Channel = Pick<BlobRow, "threadId" | "namespace" | "channel">;

/** Stores only the new items of a saver's channels that hold lists. It remembers what it has read or stored of each. */
export interface ChannelLists {
  /** Returns the new items and the version they follow, or the whole list if nothing of it is known to be stored. */
  dump(place: Omit<BlobRow, "value">, list: unknown[]): Pick<BlobRow, "base" | "value">;
  /** Returns the list that these rows make up, oldest row first. */
  load(place: Channel, rows: ListRow[]): Promise<unknown[]>;
}

const mostLists = 32;

export function createChannelLists(serializer: StateSerializer): ChannelLists {
  const lists = new Map<string, StoredList>();
  const itemsOfRow = new WeakMap<ListRow, Promise<LoadedItem[]>>();

  /** Remembers the most recently used lists, because each call of a subgraph has its own. A forgotten list is stored whole once more. */
  function remember(name: string, list: StoredList): void {
    lists.delete(name);
    lists.set(name, list);
    const [oldest] = lists.keys();
    if (lists.size > mostLists && oldest !== undefined) lists.delete(oldest);
  }

  /** Returns the items of a row, loaded once for all versions that were read together. */
  function itemsOf(row: ListRow): Promise<LoadedItem[]> {
    const items = itemsOfRow.get(row) ?? serializer.loadItems(row.text ?? "[]");
    itemsOfRow.set(row, items);
    return items;
  }

  return {
    dump(place, list) {
      const name = nameOf(place);
      try {
        const { base, text, stored } = nextVersion(place.version, Array.from(list), lists.get(name));
        remember(name, stored);
        return { base, value: { type: base === undefined ? "json" : "list", text } };
      } catch (error) {
        dumpState(list, place.channel); // throws with the path within the whole list
        throw error;
      }
    },
    async load(place, rows) {
      const parts = await Promise.all(rows.map(itemsOf));
      remember(nameOf(place), {
        segments: rows.map(({ version }, index) => ({ version, length: parts[index]?.length ?? 0 })),
        marks: parts.flatMap((part) => part.map(({ item, stored }) => markOfStored(item, stored))),
      });
      return parts.flatMap((part) => part.map(({ item }) => item));
    },
  };
}

const nameOf = ({ threadId, namespace, channel }: Channel) => [threadId, namespace, channel].join("\n");
