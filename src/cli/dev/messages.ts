import { z } from "zod";

/** A message from the service's process to `ensemble dev`. */
export const ServiceMessage = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("imported"), files: z.array(z.string()) }),
  z.object({ kind: z.literal("started"), url: z.string().optional() }),
]);
export type ServiceMessage = z.infer<typeof ServiceMessage>;

/** The command-line argument of a restarted service process. With this argument, the service does not print its introduction again. */
export const again = "--again";
