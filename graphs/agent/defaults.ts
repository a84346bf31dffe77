import { z } from "zod";
import { closed } from "./closed.ts";

/** Returns the fields of a context with other defaults. A default that does not fit its field throws. */
export function withDefaults<Shape extends z.ZodRawShape>(shape: Shape, defaults: Record<string, unknown>): Shape {
  const changed = Object.entries(shape).map(([key, field]) => [
    key,
    defaults[key] === undefined ? field : withDefault(field, defaults[key]),
  ]);
  return Object.fromEntries(changed);
}

/** An object such as `models` keeps the defaults of those of its fields that are not given. */
function withDefault(field: unknown, value: unknown): unknown {
  const { description = "" } = field as z.ZodType;
  const inner = unwrap(field as z.ZodType);
  if (!(inner instanceof z.ZodObject)) return inner.default((field as z.ZodType).parse(value)).describe(description);
  inner.parse(value);
  return closed(withDefaults(inner.shape, value as Record<string, unknown>))
    .prefault({})
    .describe(description);
}

const unwrap = (field: z.ZodType): z.ZodType =>
  field instanceof z.ZodDefault || field instanceof z.ZodPrefault || field instanceof z.ZodOptional ? (field.unwrap() as z.ZodType) : field;
