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

/** What handlers answer: fields of the metadata and what must be in them. Anything else is refused: a filter not understood hides nothing. */
const Filter = z.record(z.string(), Condition);

/** The rows whose metadata match. Throws what is wrong with the filter. */
export function scopeOf(filter: object): Scope {
  const parsed = Filter.safeParse(filter);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0] ?? { path: [], message: "" };
    throw new Error(
      `A filter of the auth handler is not understood at "${path.join(".")}" (${message}): fields take a plain value, { $eq } or { $contains }.`,
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

/** Rows that match one of several. */
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

/** Arrays hold each of the values; in jsonb, that is what containment means. */
const holding =
  (metadata: Sql): Holds =>
  (field, equal) =>
    containing(metadata, { [field]: equal });
