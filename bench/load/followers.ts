import { z } from "zod";

/** A number of clients. Each of them sends this request, and reads the event stream to its end. */
export const Following = z.object({
  url: z.string(),
  clients: z.number(),
  method: z.enum(["GET", "POST"]),
  path: z.string(),
  body: z.unknown().optional(),
  /** The text that precedes the time in each event. Only events with this text are counted. */
  mark: z.string(),
});
export type Following = z.output<typeof Following>;

export const FollowersResult = z.object({
  /** The number of events that clients received: in total, by the client with the fewest, and by the client with the most. */
  total: z.number(),
  fewest: z.number(),
  most: z.number(),
  /** The delay in milliseconds, from the time in an event until the event arrived. */
  lagP50: z.number(),
  lagP99: z.number(),
  lagMax: z.number(),
  /** The time from the first event at any client to the last event at any client. */
  ms: z.number(),
  /** The number of clients whose stream did not end cleanly. */
  cut: z.number(),
});
export type FollowersResult = z.output<typeof FollowersResult>;

/**
 * The questions to the child process. `begin` is answered when every client has received data, and `finish` when all streams have ended.
 */
export const FollowersQuestion = z.union([z.object({ begin: Following }), z.object({ finish: z.literal(true) })]);
