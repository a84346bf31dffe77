import { z } from "zod";

/** A message from the service's process to `ensemble dev`. */
export const ServiceMessage = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("imported"), files: z.array(z.string()) }),
  z.object({ kind: z.literal("started"), url: z.string().optional() }),
]);
export type ServiceMessage = z.infer<typeof ServiceMessage>;

/** The argument of a process that replaces another one. Such a process does not print the introduction again. */
export const again = "--again";
