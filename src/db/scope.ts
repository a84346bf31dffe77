import { type Sql, sql } from "./sql.ts";

/**
 * Returns an SQL condition that is true if the `field` of a row has this value. If the value is an array, the row's field must contain each
 * element of the array.
 */
export type Holds = (field: string, value: unknown) => Sql;

/** A filter for the rows that a user may see and change. The filter checks a row's metadata. */
export interface Scope {
  /**
   * Returns a condition for a `where` clause, which is true for the rows that the user may see and change. `metadata` is a `json` column or
   * expression. Pass `holds` if the filter may also refer to columns outside the metadata.
   */
  visible(metadata: Sql, holds?: Holds): Sql;
  /**
   * The user to whom the scope restricts access. Undefined if the scope is not that of a user. If a graph is built anew for each user, its
   * builder gets this user.
   */
  user?: { identity: string; permissions: string[] };
}

/**
 * The scope that includes every row. Only the service itself uses it, in workers, sweepers and commands. The scope of a request's caller
 * always comes from `request.access`.
 */
export const everything: Scope = { visible: () => sql`true` };

/** Tells whether a scope includes every row. */
export const isEverything = ({ visible }: Scope): boolean => visible === everything.visible;

export const nothingAtAll: Scope = { visible: () => sql`false` };

/** Returns the scope of the rows that both scopes include. */
export const inBoth = (one: Scope, other: Scope): Scope => ({
  ...one,
  visible: (metadata, holds) => sql`(${one.visible(metadata, holds)}) and (${other.visible(metadata, holds)})`,
});
