import { z } from "zod";
import { OneOrMore, Text, Unsettable } from "./schemas.ts";

/** The name of a channel. One that this release does not know has no events: a later client may ask for more than there is. */
const Channel = Text.max(1_000);

/** The number of an event, from its id. An id that is none of ours says nothing: then everything is sent. */
const EventNumber = z
  .string()
  .max(100)
  .transform((id) => (/^\d{1,15}$/.test(id) ? Number(id) : undefined));

/** What of a thread somebody wants to see. Unknown keys are passed over, as clients to come will send some. */
export const EventFilter = z.object({
  channels: z.array(Channel).min(1).max(100),
  namespaces: z
    .array(z.array(Text.max(1_000)).max(100))
    .max(100)
    .nullish(),
  depth: z.number().int().min(0).max(1_000).nullish(),
  since: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).nullish(),
});

/** By this an EventSource comes back; `since` outranks it. */
export const LastEventNumber = z.looseObject({ "last-event-id": EventNumber.optional() });

const ThreadMode = z.enum(["run_modes", "lifecycle", "state_update"]);

/** The SDK calls it stream_mode, the official document stream_modes. */
export const ThreadStreamQuery = z.object({
  stream_mode: Unsettable(OneOrMore(ThreadMode)),
  stream_modes: Unsettable(OneOrMore(ThreadMode)),
});

/** Where the client stopped; "-" is before everything, and none means that only what is to come is of interest. */
export const LastThreadEvent = z.looseObject({
  "last-event-id": z
    .string()
    .regex(/^(-1?|\d{0,15})$/, "expected the id of an event, or - for all of them")
    .transform((id) => (id === "" ? undefined : /^\d/.test(id) ? Number(id) : -1))
    .optional(),
});
