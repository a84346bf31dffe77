import { z } from "zod";
import { OneOrMore, Text, Unsettable } from "./schemas.ts";

/**
 * The name of a channel. An unknown name is accepted, because a newer client may know channels that this release lacks. Such a channel has
 * no events.
 */
const Channel = Text.max(1_000);

/**
 * The number of the last event that the client has, which is read from the event's id. If the id has no such number, the value is
 * undefined, and the stream starts with the first event.
 */
const EventNumber = z
  .string()
  .max(100)
  .transform((id) => (/^\d{1,15}$/.test(id) ? Number(id) : undefined));

/** The schema of a subscription's filter. Unknown keys are ignored, because newer clients may send them. */
export const EventFilter = z.object({
  channels: z.array(Channel).min(1).max(100),
  namespaces: z
    .array(z.array(Text.max(1_000)).max(100))
    .max(100)
    .nullish(),
  depth: z.number().int().min(0).max(1_000).nullish(),
  since: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).nullish(),
});

/** The header that an EventSource sends when it reconnects. The field `since` of the body takes precedence over this header. */
export const LastEventNumber = z.looseObject({ "last-event-id": EventNumber.optional() });

const ThreadMode = z.enum(["run_modes", "lifecycle", "state_update"]);

/**
 * The query of a thread stream. The modes have two names, because the SDK calls them `stream_mode` and the official OpenAPI document calls
 * them `stream_modes`.
 */
export const ThreadStreamQuery = z.object({
  stream_mode: Unsettable(OneOrMore(ThreadMode)),
  stream_modes: Unsettable(OneOrMore(ThreadMode)),
});

/**
 * The id of the last event that the client has received. "-" or "-1" requests all events. Without this header, only new events are sent.
 */
export const LastThreadEvent = z.looseObject({
  "last-event-id": z
    .string()
    .regex(/^(-1?|\d{0,15})$/, "expected the id of an event, or - for all of them")
    .transform((id) => (id === "" ? undefined : /^\d/.test(id) ? Number(id) : -1))
    .optional(),
});
