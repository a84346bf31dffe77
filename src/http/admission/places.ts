import type { FastifyRequest } from "fastify";
import { ServiceError } from "../../errors.ts";
import type { ApiDeps } from "../api-deps.ts";

/** The numbers of streams, sockets and waiting requests that are open in this process: in total, per user, per run and per thread. */
export type StreamCounts = Map<string, number>;

/** A client that follows a run or a thread, and therefore counts towards the limits on open streams. */
export interface Place {
  of: "run" | "thread";
  id: string;
  /** The identity of the client's user. Undefined if the service runs without auth. */
  user: string | undefined;
}

const everything = "";

export const countStreams = (counts: StreamCounts) => counts.get(everything) ?? 0;

/**
 * Counts another client, or throws a 429 if a limit is reached. Returns a function that ends the count for this client.
 *
 * The limit for a run counts the clients of all users. The limit for a thread counts each user's clients separately, because a user who may
 * not read a thread can also wait for it. Such users must not use up the limit of the users who may read it.
 */
export function takePlace(counts: StreamCounts, { of, id, user }: Place, settings: ApiDeps["settings"]): () => void {
  const bounds = [
    { key: everything, most: settings.streams, whose: "clients follow something here" },
    ...(user === undefined
      ? []
      : [{ key: `user ${user}`, most: settings.streamsPerUser, whose: "streams and waiting requests are yours" }]),
    { key: of === "thread" ? `thread ${id} ${user ?? ""}` : id, most: settings.streamsPerRun, whose: `clients follow this ${of}` },
  ];
  for (const { key, most, whose } of bounds) {
    const following = counts.get(key) ?? 0;
    if (following >= most) throw new ServiceError("too_many", `${following} ${whose} already.`);
  }
  for (const { key } of bounds) counts.set(key, (counts.get(key) ?? 0) + 1);
  let isTaken = true;
  return () => {
    if (isTaken) for (const { key } of bounds) release(counts, key);
    isTaken = false;
  };
}

/** Counts a client that follows a run or waits for it, or throws a 429 if a limit is reached. */
export const takePlaceAtRun = (
  { counts, settings }: Pick<ApiDeps, "settings"> & { counts: StreamCounts },
  { user }: FastifyRequest,
  runId: string,
) => takePlace(counts, { of: "run", id: runId, user: user?.identity }, settings);

function release(counts: StreamCounts, key: string): void {
  const left = (counts.get(key) ?? 1) - 1;
  if (left === 0) counts.delete(key);
  else counts.set(key, left);
}
