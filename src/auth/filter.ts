import { z } from "zod";
import { containing } from "../db/paging.ts";
import { everything, type Holds, nothingAtAll, type Scope } from "../db/scope.ts";
import { join, type Sql, sql } from "../db/sql.ts";

const Plain = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const Condition = z.union([
  Plain.transform((equal) => ({ equal })),
  z.strictObject({ $eq: Plain }).transform(({ $eq }) => ({ equal: $eq })),
  z
    .strictObject({ $contains: z.union([z.array(Plain), Plain.transform((one) => [one])]) })
    .transform(({ $contains }) => ({ equal: $contains })),
]);

/**
 * The schema of the filter that auth handlers return: metadata fields, and the values that rows must have in these fields. Values of any
 * other type are an error. If they were ignored, the filter would hide no rows.
 */
const Filter = z.record(z.string(), Condition);

/** Returns the scope of the rows whose metadata matches the filter. Throws if the filter is invalid. */
export function scopeOf(filter: object): Scope {
  const parsed = Filter.safeParse(filter);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0] ?? { path: [], message: "" };
    throw new Error(
      `The filter of an auth handler is invalid at "${path.join(".")}" (${message}): fields take a plain value, { $eq } or { $contains }.`,
    );
  }
  const fields = Object.entries(parsed.data);
  if (fields.length === 0) return everything;
  return {
    visible: (metadata, holds = holding(metadata)) =>
      join(
        fields.map(([field, { equal }]) => holds(field, equal)),
        " and ",
      ),
  };
}

/** Returns the scope of the rows that at least one of the scopes includes. */
export function anyOf(...scopes: Scope[]): Scope {
  if (scopes.length === 0) return nothingAtAll;
  return {
    visible: (metadata, holds) =>
      sql`(${join(
        scopes.map((scope) => sql`(${scope.visible(metadata, holds)})`),
        " or ",
      )})`,
  };
}

/**
 * Returns a function that builds a jsonb containment condition (`@>`) for one field. If the given value is an array, the row's field must
 * contain each element of the array.
 */
const holding =
  (metadata: Sql): Holds =>
  (field, equal) =>
    containing(metadata, { [field]: equal });
