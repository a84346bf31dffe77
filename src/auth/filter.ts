import { z } from "zod";
import { containing } from "../db/paging.ts";
import { everything, type Holds, inBoth, nothingAtAll, type Scope } from "../db/scope.ts";
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
 * The schema of the filter that auth handlers return: metadata fields, and the values that rows must have in these fields. A value of
 * another type is an error. If the service ignored such a value, the filter would hide no rows.
 */
const Filter = z.record(z.string(), Condition);

/** The deepest nesting of $and and $or, in levels. */
const mostLevels = 10;

/**
 * Returns the scope of the rows whose metadata matches the filter. A filter may join other filters with $and and $or. Throws if the filter
 * is invalid.
 */
export function scopeOf(filter: object, level = 0): Scope {
  const { $and, $or, ...fields } = filter as Record<string, unknown>;
  const parts = [
    ...joined("$and", $and, level),
    ...($or === undefined ? [] : [anyOf(...joined("$or", $or, level))]),
    ...(Object.keys(fields).length > 0 ? [scopeOfFields(fields)] : []),
  ];
  return parts.length === 0 ? everything : parts.reduce(inBoth);
}

/** Returns a scope for each filter in the list of `$and` or `$or`. An empty list is an error, because its meaning would be unclear. */
function joined(operator: string, filters: unknown, level: number): Scope[] {
  if (filters === undefined) return [];
  const areFilters =
    Array.isArray(filters) && filters.length > 0 && filters.every((one) => z.record(z.string(), z.unknown()).safeParse(one).success);
  if (areFilters && level < mostLevels) return (filters as object[]).map((one) => scopeOf(one, level + 1));
  throw new Error(
    `The filter of an auth handler is invalid at "${operator}": it takes a list of filters, up to ${mostLevels} levels deep.`,
  );
}

function scopeOfFields(filter: Record<string, unknown>): Scope {
  const parsed = Filter.safeParse(filter);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0] ?? { path: [], message: "" };
    throw new Error(
      `The filter of an auth handler is invalid at "${path.join(".")}" (${message}): fields take a plain value, { $eq } or { $contains }.`,
    );
  }
  const fields = Object.entries(parsed.data);
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
