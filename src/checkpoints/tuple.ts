import type { Checkpoint, CheckpointMetadata, CheckpointTuple } from "@langchain/langgraph-checkpoint";
import type { Channel, ChannelLists } from "./channel-lists.ts";
import { withReadableCounters } from "./delta-ancestors.ts";
import type { ListRow, StoredCheckpoint, StoredValue } from "./read.ts";
import type { StateSerializer } from "./serializer.ts";

/** Deserialises stored values and channels. */
export interface ValueReader {
  load(value: StoredValue): Promise<unknown>;
  loadChannel(place: Channel, rows: ListRow[]): Promise<unknown>;
}

/** Returns a reader for stored values. `lists` reads the channels whose value is a list. */
export function valueReader(serializer: StateSerializer, lists: ChannelLists): ValueReader {
  const load = async ({ type, text, bytes }: StoredValue) => serializer.loadsTyped(type, text ?? bytes ?? "");
  return {
    load,
    async loadChannel(place, rows) {
      const [first] = rows;
      const isList = rows.length > 1 || (first?.type === "json" && first.text?.startsWith("["));
      return first && !isList ? load(first) : lists.load(place, rows);
    },
  };
}

/** Returns a stored checkpoint in LangGraph's form, with its values deserialized. */
export async function toTuple(stored: StoredCheckpoint, values: ValueReader): Promise<CheckpointTuple> {
  const { threadId, namespace, checkpointId, parentId, checkpoint, metadata, writes } = stored;
  const at = (id: string) => ({ configurable: { thread_id: threadId, checkpoint_ns: namespace, checkpoint_id: id } });
  const present = [...stored.values].filter(([, rows]) => rows.at(-1)?.type !== "empty");
  const channelValues = await Promise.all(
    present.map(async ([channel, rows]) => [channel, await values.loadChannel({ threadId, namespace, channel }, rows)] as const),
  );
  return {
    config: at(checkpointId),
    checkpoint: {
      ...{ channel_versions: {}, versions_seen: {} }, // very old checkpoints lack these two fields
      ...(checkpoint as unknown as Omit<Checkpoint, "channel_values">),
      channel_values: Object.fromEntries(channelValues),
    },
    metadata: withReadableCounters(metadata) as CheckpointMetadata,
    ...(parentId && { parentConfig: at(parentId) }),
    pendingWrites: (await Promise.all(
      writes.map(async (write) => [write.taskId, write.channel, await values.load(write)] as const),
    )) as CheckpointTuple["pendingWrites"],
  };
}

/**
 * Tells whether this checkpoint has a format before version 4, in which the parent checkpoint holds the pending sends. Returns false for a
 * checkpoint without a parent, because it has no pending sends.
 */
export const isOld = ({ checkpoint, parentId }: StoredCheckpoint) => parentId !== null && Number(checkpoint.v) < 4;
