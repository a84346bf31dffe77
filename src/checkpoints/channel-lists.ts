import { nextVersion, type StoredList } from "./lists.ts";
import { markOfStored } from "./mark.ts";
import type { ListRow } from "./read.ts";
import type { BlobRow } from "./rows.ts";
import { dumpState, type LoadedItem, type StateSerializer } from "./serializer.ts";

/** A channel of a graph, without a version. */
export type Channel = Pick<BlobRow, "threadId" | "namespace" | "channel">;

/**
 * Serialises those channels whose value is a list. Each stored version of a list contains only the items that are new in it. To know
 * them, a saver remembers what it has read or stored of each list.
 */
export interface ChannelLists {
  /** Returns the new items of a list, and the version that they follow. Returns the whole list if no stored version of it is known. */
  dump(place: Omit<BlobRow, "value">, list: unknown[]): Pick<BlobRow, "base" | "value">;
  /** Returns the list that these rows make up. The oldest row comes first. */
  load(place: Channel, rows: ListRow[]): Promise<unknown[]>;
}

const mostLists = 32;

export function createChannelLists(serializer: StateSerializer): ChannelLists {
  const lists = new Map<string, StoredList>();
  const itemsOfRow = new WeakMap<ListRow, Promise<LoadedItem[]>>();

  /**
   * Remembers a list. Keeps only the most recently used lists, because each call of a subgraph has its own. A forgotten list is stored
   * whole at its next change.
   */
  function remember(name: string, list: StoredList): void {
    lists.delete(name);
    lists.set(name, list);
    const [oldest] = lists.keys();
    if (lists.size > mostLists && oldest !== undefined) lists.delete(oldest);
  }

  /** Returns the items of a row. They are loaded once for all versions that were read together. */
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
        dumpState(list, place.channel); // throws an error whose path starts at the list
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
