import type { ChoreographyValues, Code, Emission, Event, Listener, Wake } from "ensemble/patterns";
import { z } from "zod";
import type { Given } from "./builder.ts";
import { feedbackOn } from "./steps.ts";

/**
 * Returns the input of a step. A function gets the payload and the state. An agent gets both only if the flow has a state. Any other step
 * gets the payload.
 */
export function inputOf(
  { do: work }: Listener,
  wake: Wake,
  values: ChoreographyValues & { state: Record<string, unknown> },
  code: Code,
): unknown {
  const payload = payloadOf(wake, values);
  const { state } = values;
  const isFunction = work.code !== undefined && typeof code.get(work.code) === "function";
  const isAgent = !isFunction && work.tool === undefined && work.graph === undefined && work.ask === undefined;
  const hasState = isFunction || (isAgent && (Object.keys(state).length > 0 || isGiven(payload)));
  return hasState ? ({ payload, state } satisfies Given) : payload;
}

/** Returns the payload of the event that started a step. If there were several events, returns their payloads by type. */
function payloadOf({ by }: Wake, { events }: ChoreographyValues): unknown {
  const causes = by.map((seq) => events[seq - 1]).filter((event) => event !== undefined);
  const [first] = causes;
  return causes.length > 1 ? Object.fromEntries(causes.map(({ type, payload }) => [type, payload])) : (first?.payload ?? null);
}

/**
 * Returns the event that the result of a step publishes. If the result is a label, the event carries the input of the router that chose the
 * label. If the result is a person's feedback, the event carries the reviewed output and the feedback.
 */
export function emissionsOf(listener: Listener, result: unknown, input: unknown, isRouter: boolean): Emission[] {
  const { name, emits } = listener;
  const feedback = feedbackOn(listener);
  if (feedback?.part === "feedback") {
    const answer = String(result).trim();
    const outcome = emits.find((label) => label.toLowerCase() === answer.toLowerCase());
    return [{ type: outcome ?? name, payload: { output: input, feedback: answer, ...(outcome && { outcome }) } }];
  }
  if (emits.length === 0 && !isRouter) return [{ type: name, payload: result }];
  const label = typeof result === "string" ? result.trim() : Object(result).event;
  if (typeof label !== "string" || (emits.length > 0 && !emits.includes(label))) {
    throw new Error(`"${name}" chose "${String(label)}"; it may choose ${emits.join(", ") || "a label"}.`);
  }
  if (feedback) return [{ type: label, payload: { ...Object(input), outcome: label } }];
  return [{ type: label, payload: isGiven(input) ? input.payload : input }];
}

const isGiven = (input: unknown): input is Given =>
  typeof input === "object" && input !== null && "payload" in input && "state" in input && Object.keys(input).length === 2;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

export const knownPart = (value: unknown, keys: string[]): Record<string, unknown> =>
  isObject(value) ? Object.fromEntries(Object.entries(value).filter(([key]) => keys.includes(key))) : {};

/** Returns the state after new events. The result of a step updates only keys that the state has. */
export function patched(state: Record<string, unknown>, added: Event[], keys = Object.keys(state)): Record<string, unknown> {
  const results = added.filter(({ type, from }) => type === from).map(({ payload }) => knownPart(payload, keys));
  return Object.assign({}, state, ...results);
}

/** Returns the output schema of an agent that chooses a label. */
export function choiceOf({ emits }: Listener, output: z.ZodType | undefined): z.ZodType | undefined {
  if (emits.length < 2) return output;
  return z.object({ event: z.enum(emits).describe("Your choice"), reason: z.string().describe("Why") });
}
