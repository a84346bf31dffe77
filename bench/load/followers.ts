import { z } from "zod";

/** So many clients that each send this request and read an event stream to its end. */
export const Following = z.object({
  url: z.string(),
  clients: z.number(),
  method: z.enum(["GET", "POST"]),
  path: z.string(),
  body: z.unknown().optional(),
  /** What stands before the time in every event that is looked for. */
  mark: z.string(),
});
export type Following = z.output<typeof Following>;

export const FollowersResult = z.object({
  /** Events looked for: all, and of those clients that got the fewest and the most. */
  total: z.number(),
  fewest: z.number(),
  most: z.number(),
  /** Milliseconds from the time in an event to its arrival. */
  lagP50: z.number(),
  lagP99: z.number(),
  lagMax: z.number(),
  /** Between the first arrival anywhere and the last. */
  ms: z.number(),
  /** Clients whose stream did not come to its proper end. */
  cut: z.number(),
});
export type FollowersResult = z.output<typeof FollowersResult>;

/** `begin` is answered when all clients have got something, `finish` when all streams are over. */
export const FollowersQuestion = z.union([z.object({ begin: Following }), z.object({ finish: z.literal(true) })]);
