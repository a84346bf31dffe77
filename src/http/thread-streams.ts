import type { FastifyReply } from "fastify";
import { type Filter, toMatcher } from "../streaming/filter.ts";
import { type StreamCounts, takePlace } from "./follow.ts";
import type { ApiRooms } from "./rooms.ts";
import { openEventStream } from "./sse.ts";

export interface ThreadFollowOptions {
  threadId: string;
  /** The number of the last event that the client has. */
  since: number;
  filter: Filter;
}

/** Streams a thread to a client until one of them is gone. It has no end: whatever happens, the line is cut. */
export async function streamThread(
  rooms: ApiRooms,
  counts: StreamCounts,
  reply: FastifyReply,
  { threadId, since, filter }: ThreadFollowOptions,
): Promise<void> {
  const leave = takePlace(counts, threadId, rooms.settings.streamsPerRun, "thread");
  const isWanted = toMatcher(filter);
  const stream = openEventStream(reply, rooms.settings.stalledSeconds);
  try {
    for await (const events of rooms.threadFeed.follow(threadId, since, stream.gone)) {
      const wanted = events.filter(isWanted);
      if (wanted.length > 0) await stream.send(wanted.map(({ seq, method, json }) => ({ id: seq, event: method, data: json })));
    }
  } catch (err) {
    rooms.log.debug({ err, thread_id: threadId }, "stream cut");
  } finally {
    leave();
    stream.cut();
  }
}
