import { z } from "zod";

/** A problem in an object, and the path of the wrong value. A check that sees the whole object has found it. */
export interface Problem {
  path: PropertyKey[];
  message: string;
}

interface ClosedDef extends z.core.$ZodObjectDef {
  /** Returns the problems that the schemas of the single fields cannot find, such as fields that contradict each other. */
  judge: (given: object) => Problem[];
}

/**
 * The schema of an object, with a check that sees the whole object. This check is not a zod refinement, because LangGraph extends the
 * schema of a graph's input, and zod cannot extend an object that has refinements.
 */
const Closed = z.core.$constructor<z.ZodObject, ClosedDef>("Closed", (inst, def) => {
  z.ZodObject.init(inst, def);
  const { parse } = inst._zod;
  inst._zod.parse = (payload, context) => {
    const given: unknown = payload.value;
    const judge = (parsed: z.core.ParsePayload) => {
      if (typeof given !== "object" || given === null) return parsed;
      for (const problem of def.judge(given)) parsed.issues.push({ code: "custom", ...problem, input: given, inst });
      return parsed;
    };
    const parsed = parse(payload, context);
    return parsed instanceof Promise ? parsed.then(judge) : judge(parsed);
  };
});

/**
 * Returns the schema of an object that refuses unknown keys. The error suggests the nearest known key, or lists all known keys if none is
 * near.
 *
 * Unknown keys are allowed in an object that contains `thread_id` or a key of LangGraph or LangSmith. Such an object is the `configurable`
 * of a run. LangGraph validates the `configurable` in place of the context if the caller sends no context.
 */
export function closed<Shape extends z.ZodRawShape>(shape: Shape, judge: ClosedDef["judge"] = () => []): z.ZodObject<Shape> {
  const known = Object.keys(shape);
  const unknownIn = (given: object) => Object.keys(given).filter((key) => !isConfigurable(given) && !Object.hasOwn(shape, key));
  const schema = new Closed({
    type: "object",
    shape,
    catchall: z.unknown(),
    judge: (given) => [...unknownIn(given).map((key) => ({ path: [key], message: describe(key, known) })), ...judge(given)],
  });
  // The JSON schema refuses unknown keys. The cast hides that the parsed object may have unknown keys, because no code reads them.
  return schema.meta({ additionalProperties: false }) as unknown as z.ZodObject<Shape>;
}

const isConfigurable = (given: object) => Object.keys(given).some((key) => /^(thread_id$|__pregel|ls_)/.test(key));

function describe(key: string, known: string[]): string {
  const [nearest] = known.map((name) => ({ name, distance: distanceOf(key, name) })).toSorted((a, b) => a.distance - b.distance);
  const hint =
    nearest && nearest.distance <= Math.max(2, key.length / 3) ? `did you mean "${nearest.name}"?` : `there are ${known.join(", ")}`;
  return `unknown key; ${hint}`;
}

/** Returns the edit distance of two words, which is the number of characters that must change to turn one into the other. */
function distanceOf(one: string, other: string): number {
  const [a, b] = [one.slice(0, 50).toLowerCase(), other.toLowerCase()];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
