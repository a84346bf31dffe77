import { z } from "zod";
import { type Emission, type Listener, typesOf } from "./event.ts";

/** The key that marks an object as an event that `emit` has made. */
const brand = "ensemble.emission";

/** Makes an event. A listener that is a function in code publishes an event, or a list of events, by returning it. */
export const emit = (type: string, payload: unknown = null) => ({ [brand]: type, payload });

const Emitted = z.object({ [brand]: z.string(), payload: z.unknown() });
const Chosen = z.object({ event: z.string(), payload: z.unknown() });

/**
 * Converts the result of a listener to events. Events that `emit` made are kept. For a listener with one event type, the result is the
 * event's payload. For a listener with several types, the result is `{ event, payload }`, or only a type if a person chose the type.
 */
export function emissionsOf(listener: Listener, result: unknown): Emission[] {
  const types = typesOf(listener);
  const emitted = z.array(Emitted).min(1).safeParse([result].flat());
  if (emitted.success) return emitted.data.map((one) => allowed(listener, { type: one[brand], payload: one.payload }));
  const [only, ...others] = types;
  if (only !== undefined && others.length === 0) return [{ type: only, payload: result }];
  if (typeof result === "string") return [allowed(listener, { type: result.trim(), payload: null })];
  const { event, payload } = Chosen.safeParse(result).data ?? { event: "nothing", payload: null };
  return [allowed(listener, { type: event, payload })];
}

function allowed(listener: Listener, emission: Emission): Emission {
  const types = typesOf(listener);
  if (types.includes(emission.type)) return emission;
  throw new Error(`The result of "${listener.name}" names the event "${emission.type}"; it may be ${types.join(", ")}.`);
}

/** Returns the output schema of an agent that must choose between several events. */
export function choiceOf(listener: Listener, output: z.ZodType | undefined): z.ZodType | undefined {
  const types = typesOf(listener);
  if (types.length < 2) return output;
  return z.object({
    event: z.enum(types).describe("Event that happened"),
    payload: output ?? z.string().describe("Content of the event, for those who hear it"),
  });
}
