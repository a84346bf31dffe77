import { nextVersion, type StoredList } from "./lists.ts";
import { markOfStored } from "./mark.ts";
import type { ListRow } from "./read.ts";
import type { BlobRow } from "./rows.ts";
import { dumpState, type LoadedItem, type StateSerializer } from "./serializer.ts";

/** One channel of a graph, whatever its version. */
export type Channel = Pick<BlobRow, "threadId" | "namespace" | "channel">;

/** Stores the lists of a saver's channels as what is new in them, because it remembers what it has read or stored of each. */
export interface ChannelLists {
  /** The part that is new, and after which version it comes; the whole list where nothing of it is known to be stored. */
  dump(place: Omit<BlobRow, "value">, list: unknown[]): Pick<BlobRow, "base" | "value">;
  /** The list that these parts are, the oldest first. */
  load(place: Channel, rows: ListRow[]): Promise<unknown[]>;
}

const mostLists = 32;

export function createChannelLists(serializer: StateSerializer): ChannelLists {
  const lists = new Map<string, StoredList>();
  const itemsOfRow = new WeakMap<ListRow, Promise<LoadedItem[]>>();

  /** Keeps the lists that were used last: each call of a subgraph has its own. One that is forgotten is stored whole once more. */
  function remember(name: string, list: StoredList): void {
    lists.delete(name);
    lists.set(name, list);
    const [oldest] = lists.keys();
    if (lists.size > mostLists && oldest !== undefined) lists.delete(oldest);
  }

  /** Made once for all versions that were read together. */
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
        dumpState(list, place.channel); // which says where in the whole it is
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
