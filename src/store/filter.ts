import { containing } from "../db/paging.ts";
import { join, nothing, type Sql, sql } from "../db/sql.ts";
import { ServiceError } from "../errors.ts";

type Document = Record<string, unknown>;

const operators: Record<string, Sql> = { $eq: sql`=`, $ne: sql`is distinct from`, $gt: sql`>`, $gte: sql`>=`, $lt: sql`<`, $lte: sql`<=` };
const known = Object.keys(operators).join(", ");
/**
 * Names that are operators in filters. A filter that uses one of them in place of a field's name is refused, because it would silently
 * match no item.
 */
const notFields = ["$and", "$or", "$not", "$nor", ...Object.keys(operators)];
const mostConditions = 100;

/**
 * Returns the SQL condition for a filter on items. A filter has the form `{ field: value }` or `{ field: { $gt: value } }`. A comparison
 * such as `$gt` matches only if the item's value has the same type as the value in the filter.
 */
export function matchingAll(filter: Document): Sql {
  const conditions = Object.entries(filter).flatMap(matching);
  if (conditions.length > mostConditions) throw refusal(`has ${conditions.length} conditions; ${mostConditions} are the most`);
  return join([sql`true`, ...conditions], " and ");
}

function matching([field, wanted]: [string, unknown]): Sql[] {
  if (notFields.includes(field)) throw refusal(`begins with a field, as in { "age": { "$gt": 9 } }; "${field}" is none`);
  if (field.includes("\0") || !field.isWellFormed()) throw refusal("names a field with a NUL character or a lone surrogate");
  const entries = typeof wanted === "object" && wanted !== null && !Array.isArray(wanted) ? Object.entries(wanted) : [];
  const comparisons = entries.filter(([name]) => name.startsWith("$"));
  if (comparisons.length === 0) return [containing(sql`value`, { [field]: wanted })];
  if (comparisons.length < entries.length) throw refusal(`compares "${field}" with operators or with a document, not with both`);
  return comparisons.map(([name, value]) => comparing(field, name, value));
}

function comparing(field: string, name: string, value: unknown): Sql {
  const operator = operators[name];
  if (!operator) throw refusal(`knows ${known}; "${name}" is none of them`);
  const [left, right] = [sql`searchable(value) -> ${field}`, sql`searchable(${JSON.stringify(value)}::json)`];
  const sameType = name === "$ne" ? nothing : sql`and jsonb_typeof(${left}) = jsonb_typeof(${right})`;
  return sql`(${left} ${operator} ${right} ${sameType})`;
}

const refusal = (what: string) => new ServiceError("invalid", `A filter ${what}.`);
