import { type Sql, sql } from "./sql.ts";

/** Returns the condition that a row's `field` has this value. For an array, the row must have each of its values. */
export type Holds = (field: string, value: unknown) => Sql;

/** The rows that a user may see and change. The metadata of a row decides whether it is included. */
export interface Scope {
  /**
   * Returns a condition for the `where` of a statement. It is true for rows that the user may see and change. `metadata` is a `json` column
   * or expression. Pass `holds` for rows whose filter may name other columns too.
   */
  visible(metadata: Sql, holds?: Holds): Sql;
  /** The user, for graphs that are built for each user. */
  user?: { identity: string; permissions: string[] };
}

/**
 * The scope that hides nothing, for the service itself: workers, sweepers and commands. A caller's scope comes only from `request.access`.
 */
export const everything: Scope = { visible: () => sql`true` };

/** Returns whether a scope includes every row. */
export const isEverything = ({ visible }: Scope): boolean => visible === everything.visible;

export const nothingAtAll: Scope = { visible: () => sql`false` };

/** Returns the scope of the rows that both scopes include. */
export const inBoth = (one: Scope, other: Scope): Scope => ({
  ...one,
  visible: (metadata, holds) => sql`(${one.visible(metadata, holds)}) and (${other.visible(metadata, holds)})`,
});
