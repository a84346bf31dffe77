import { z } from "zod";
import { closed } from "./closed.ts";

/**
 * Returns the fields of a schema, with the new defaults that `defaults` has for them. If a field is an object, such as `models`, only the
 * keys that `defaults` names in it get new defaults.
 */
export function withDefaults<Shape extends z.ZodRawShape>(shape: Shape, defaults: Record<string, unknown>): Shape {
  const changed = Object.entries(shape).map(([key, field]) => [
    key,
    defaults[key] === undefined ? field : withDefault(field, defaults[key]),
  ]);
  return Object.fromEntries(changed);
}

/** Returns a field of a schema with a new default. The default is validated when a context is parsed, so that an error names the field. */
function withDefault(field: unknown, value: unknown): unknown {
  const { description = "" } = field as z.ZodType;
  const inner = unwrap(field as z.ZodType);
  if (!(inner instanceof z.ZodObject)) return inner.prefault(value as never).describe(description);
  return closed(withDefaults(inner.shape, Object(value)))
    .prefault({})
    .describe(description);
}

const unwrap = (field: z.ZodType): z.ZodType =>
  field instanceof z.ZodDefault || field instanceof z.ZodPrefault || field instanceof z.ZodOptional ? (field.unwrap() as z.ZodType) : field;
