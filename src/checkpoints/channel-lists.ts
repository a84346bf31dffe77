import { nextVersion, type StoredList } from "./lists.ts";
import { markOfStored } from "./mark.ts";
import type { ListRow } from "./read.ts";
import type { BlobRow } from "./rows.ts";
import { dumpState, type LoadedItem, type StateSerializer } from "./serializer.ts";

/** The address of a channel: its thread, its namespace and its name. */
export type Channel = Pick<BlobRow, "threadId" | "namespace" | "channel">;

/**
 * Serialises the channels whose value is a list. A stored row holds only the items that were added since an earlier version of the list. To
 * know which items are new, a saver remembers the lists that it has read or stored.
 */
export interface ChannelLists {
  /**
   * Returns the items to store for a new version of a list, and `base`. `base` is the stored version that holds the items before the
   * returned ones. If no earlier version is known, returns all items and no `base`.
   */
  dump(place: Omit<BlobRow, "value">, list: unknown[]): Pick<BlobRow, "base" | "value">;
  /** Returns the list whose items are in these rows. The row with the first items must come first. */
  load(place: Channel, rows: ListRow[]): Promise<unknown[]>;
}

const mostLists = 32;

export function createChannelLists(serializer: StateSerializer): ChannelLists {
  const lists = new Map<string, StoredList>();
  const itemsOfRow = new WeakMap<ListRow, Promise<LoadedItem[]>>();

  /**
   * Remembers the stored state of a list. Each call of a subgraph has its own lists, so only the most recently used ones are remembered. If
   * a forgotten list changes, all its items are stored again.
   */
  function remember(name: string, list: StoredList): void {
    lists.delete(name);
    lists.set(name, list);
    const [oldest] = lists.keys();
    if (lists.size > mostLists && oldest !== undefined) lists.delete(oldest);
  }

  /** Returns the items of a row. Versions of a list that were read together share row objects, so each row is deserialised only once. */
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
        dumpState(list, place.channel); // throws the caught error again, but with a path that begins with the channel's name
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
