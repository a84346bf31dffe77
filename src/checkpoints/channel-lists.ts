import { nextVersion, type StoredList } from "./lists.ts";
import { markOfStored } from "./mark.ts";
import type { ListRow } from "./read.ts";
import type { BlobRow } from "./rows.ts";
import { dumpState, type LoadedItem, type StateSerializer } from "./serializer.ts";

/** A channel of a graph, without a version. */
export type Channel = Pick<BlobRow, "threadId" | "namespace" | "channel">;

/**
 * Serialises the channels whose value is a list. Each stored version of a list contains only the items that are new in it. To find the new
 * items, a saver remembers the lists that it has read or stored.
 */
export interface ChannelLists {
  /**
   * Returns the new items of a list, and the version whose items come before them. If no stored version of the list is known, returns the
   * whole list.
   */
  dump(place: Omit<BlobRow, "value">, list: unknown[]): Pick<BlobRow, "base" | "value">;
  /** Returns the list that these rows make up. `rows` must begin with the oldest row. */
  load(place: Channel, rows: ListRow[]): Promise<unknown[]>;
}

const mostLists = 32;

export function createChannelLists(serializer: StateSerializer): ChannelLists {
  const lists = new Map<string, StoredList>();
  const itemsOfRow = new WeakMap<ListRow, Promise<LoadedItem[]>>();

  /**
   * Remembers a list. Keeps only the most recently used lists, because each call of a subgraph has its own lists. A forgotten list is
   * stored whole at its next change.
   */
  function remember(name: string, list: StoredList): void {
    lists.delete(name);
    lists.set(name, list);
    const [oldest] = lists.keys();
    if (lists.size > mostLists && oldest !== undefined) lists.delete(oldest);
  }

  /** Returns the items of a row. Versions that were read together share rows, so each row is loaded only once. */
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
