import { z } from "zod";

/** A number of clients that each send this request and read an event stream to its end. */
export const Following = z.object({
  url: z.string(),
  clients: z.number(),
  method: z.enum(["GET", "POST"]),
  path: z.string(),
  body: z.unknown().optional(),
  /** The text before the time in every event that is looked for. */
  mark: z.string(),
});
export type Following = z.output<typeof Following>;

export const FollowersResult = z.object({
  /** The events found: in total, and by the clients with the fewest and the most. */
  total: z.number(),
  fewest: z.number(),
  most: z.number(),
  /** Milliseconds from the time in an event to its arrival. */
  lagP50: z.number(),
  lagP99: z.number(),
  lagMax: z.number(),
  /** The time between the first arrival anywhere and the last. */
  ms: z.number(),
  /** Clients whose stream did not end properly. */
  cut: z.number(),
});
export type FollowersResult = z.output<typeof FollowersResult>;

/** The questions to the child. `begin` is answered when all clients have received something, `finish` when all streams are over. */
export const FollowersQuestion = z.union([z.object({ begin: Following }), z.object({ finish: z.literal(true) })]);
