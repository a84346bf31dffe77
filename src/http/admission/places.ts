import { ServiceError } from "../../errors.ts";
import type { ApiDeps } from "../api-deps.ts";

/** How many streams and sockets there are in this process: in all, of each user, of each run and each thread. */
export type StreamCounts = Map<string, number>;

/** Where a client wants to follow. */
export interface Place {
  of: "run" | "thread";
  id: string;
  /** Who follows; undefined where nobody is asked who they are. */
  user: string | undefined;
}

const everything = "";

export const countStreams = (counts: StreamCounts) => counts.get(everything) ?? 0;

/**
 * Counts one more client while there is room. Returns how to take it back. Whoever may not see a thread waits for it as for one that is
 * not there, so each user has places of their own at it: nobody takes those of others.
 */
export function takePlace(counts: StreamCounts, { of, id, user }: Place, settings: ApiDeps["settings"]): () => void {
  const bounds = [
    { key: everything, most: settings.streams, whose: "clients follow something here" },
    ...(user === undefined ? [] : [{ key: `user ${user}`, most: settings.streamsPerUser, whose: "streams are yours" }]),
    { key: of === "thread" ? `thread ${id} ${user ?? ""}` : id, most: settings.streamsPerRun, whose: `clients follow this ${of}` },
  ];
  for (const { key, most, whose } of bounds) {
    const following = counts.get(key) ?? 0;
    if (following >= most) throw new ServiceError("too_many", `${following} ${whose} already.`);
  }
  for (const { key } of bounds) counts.set(key, (counts.get(key) ?? 0) + 1);
  let isTaken = true;
  return () => {
    if (isTaken) for (const { key } of bounds) giveBack(counts, key);
    isTaken = false;
  };
}

function giveBack(counts: StreamCounts, key: string): void {
  const left = (counts.get(key) ?? 1) - 1;
  if (left === 0) counts.delete(key);
  else counts.set(key, left);
}
