import {
  type ChoreographyValues,
  type Code,
  changeOf,
  type Emission,
  type Event,
  keyOf,
  type Listener,
  type Wake,
} from "ensemble/patterns";
import { z } from "zod";

const Sure = z.strictObject({ values: z.record(z.string(), z.unknown()), confidence: z.number().min(0).max(1) });

/**
 * Returns values together with the confidence of the function that writes them. Values that are written without a confidence count as
 * certain.
 */
export const withConfidence = (values: Record<string, unknown>, confidence: number) => Sure.parse({ values, confidence });

/** Returns the input of a source: the goal, the keys that it reads, and which of them have changed. */
export function inputOf({ reads = [] }: Listener, { by }: Wake, { task, board = {}, events }: ChoreographyValues): unknown {
  const visible = reads.filter((key) => board[key] !== undefined).map((key) => [key, board[key]]);
  const changed = new Set(by.map((seq) => keyOf(events[seq - 1]?.type ?? "")).filter((key) => key !== undefined && reads.includes(key)));
  return { goal: task, board: Object.fromEntries(visible), changed: [...changed] };
}

/**
 * Converts the result of a source to events, one for each written key. If the source may not write a key, the event reports the refusal and
 * does not contain the value.
 */
export function emissionsOf(listener: Listener, result: unknown, code: Code): Emission[] {
  const { name, writes = [] } = listener;
  const { values, confidence } = Sure.safeParse(result).data ?? { values: valuesIn(listener, result, code), confidence: 1 };
  return Object.entries(values).map(([key, value]) =>
    writes.includes(key)
      ? { type: changeOf(key), payload: value, confidence }
      : { type: refusal(name), payload: { key, reason: `"${name}" may write ${writes.join(", ")}` } },
  );
}

const refusal = (source: string) => `REFUSED:${source}`;

function valuesIn({ name, do: work, writes = [] }: Listener, result: unknown, code: Code): Record<string, unknown> {
  const isFunction = work.code !== undefined && typeof code.get(work.code) === "function";
  const [only, ...others] = writes;
  if (!isFunction && only !== undefined && others.length === 0) return { [only]: result };
  if (typeof result === "object" && result !== null && !Array.isArray(result)) return result as Record<string, unknown>;
  if (result === null) return {};
  throw new Error(`The result of "${name}" must be an object with some of the keys ${writes.join(", ")}.`);
}

/**
 * Returns the output schema of the agent that does a source's work. If other sources write the same keys, the agent must also return its
 * confidence.
 */
export function shapeOf({ writes = [], isContested }: Listener, output: z.ZodType | undefined): z.ZodType | undefined {
  const [only, ...others] = writes;
  const text = z.string();
  if (!isContested)
    return others.length === 0 || output ? output : z.object(Object.fromEntries(writes.map((key) => [key, text.optional()])));
  const values =
    only !== undefined && others.length === 0
      ? z.object({ [only]: output ?? text })
      : (output ?? z.object(Object.fromEntries(writes.map((key) => [key, text.optional()]))));
  return z.object({ values, confidence: z.number().min(0).max(1).describe("How sure you are, 1 being certain") });
}

export const Change = z.object({
  version: z.number().int().describe("Number of the change"),
  value: z.unknown().describe("Value of the key"),
  by: z.string().describe("Source that wrote it"),
  at: z.string().describe("Time of the change"),
});

/** Returns all values that each key has had, oldest first. */
export function historyOf(events: Event[]): Record<string, z.infer<typeof Change>[]> {
  const changes = Object.entries(Object.groupBy(events, ({ type }) => keyOf(type) ?? ""));
  return Object.fromEntries(
    changes
      .filter(([key]) => key !== "")
      .map(([key, all = []]) => [key, all.map(({ payload, from, at }, index) => ({ version: index + 1, value: payload, by: from, at }))]),
  );
}

/** Returns the refused writes in the event log: the source and the key of each. */
export const refusedIn = (events: Event[]) =>
  events
    .filter(({ type, from }) => type === refusal(from))
    .map(({ from, payload }) => ({ source: from, key: String(Object(payload).key) }));
