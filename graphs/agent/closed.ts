import { z } from "zod";

type Payload = z.core.ParsePayload;

/** Finds what is wrong with an object as a whole. Returns the field and a sentence for each problem. */
type Check = (given: Record<string, unknown>) => { path: string; message: string }[];

/**
 * Returns the schema of an object that refuses unknown keys, and names the nearest known one. When a caller gives no context, LangGraph
 * validates the run's `configurable` in its place. That has a thread's id and other keys of its own, so it is not refused.
 */
export function closed<Shape extends z.ZodRawShape>(shape: Shape, check: Check = () => []): z.ZodObject<Shape> {
  const known = Object.keys(shape);
  return checked(z.object(shape).meta({ additionalProperties: false }), (given) => {
    const unknown = isConfigurable(given) ? [] : Object.keys(given).filter((key) => !Object.hasOwn(shape, key));
    return [...unknown.map((key) => ({ path: key, message: describe(key, known) })), ...check(given)];
  });
}

/**
 * Adds a check to an object's schema, and to each copy of it. LangGraph extends the schemas of graphs, and zod refuses that for a schema
 * with refinements.
 */
function checked<Schema extends z.ZodObject>(schema: Schema, check: Check): Schema {
  const internals = schema._zod;
  const parse = internals.parse;
  const withCheck: typeof parse = (payload, context) => {
    const given: unknown = payload.value;
    const problems = typeof given === "object" && given !== null && !Array.isArray(given) ? check(given as Record<string, unknown>) : [];
    const add = (result: Payload) => {
      for (const { path, message } of problems) result.issues.push({ code: "custom", path: [path], message, input: given });
      return result;
    };
    const result = parse(payload, context);
    return result instanceof Promise ? result.then(add) : add(result);
  };
  internals.parse = withCheck;
  internals.run = withCheck; // an object without refinements is run by its parse
  const Copy = internals.constr as new (definition: unknown) => Schema;
  internals.constr = function copyOf(definition: unknown) {
    return checked(new Copy(definition), check);
  } as unknown as typeof internals.constr;
  return schema;
}

const isConfigurable = (given: object) => "thread_id" in given || Object.keys(given).some((key) => key.startsWith("__pregel"));
function describe(key: string, known: string[]): string {
  const [nearest] = known.map((name) => ({ name, distance: distanceOf(key, name) })).toSorted((a, b) => a.distance - b.distance);
  const hint =
    nearest && nearest.distance <= Math.max(2, key.length / 3) ? `did you mean "${nearest.name}"?` : `there are ${known.join(", ")}`;
  return `unknown key; ${hint}`;
}

/** Returns how many characters must change to make one word the other. */
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
