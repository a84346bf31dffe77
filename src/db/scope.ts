import { type Sql, sql } from "./sql.ts";

/** Returns the condition that a row has this field with this value. For an array, the row must have each of its values. */
export type Holds = (field: string, value: unknown) => Sql;

/** The rows of a kind that a user may see and change, selected by the metadata of each row. */
export interface Scope {
  /**
   * Returns a condition on a `json` column or expression, for the `where` of a statement that reads or changes such rows. Pass `holds` for
   * rows that are compared by more than their metadata.
   */
  visible(metadata: Sql, holds?: Holds): Sql;
  /** The user, for graphs that are made for each user. */
  user?: { identity: string; permissions: string[] };
}

/** The scope of the service itself: workers, sweepers, commands. Only `request.access` decides a caller's scope. */
export const everything: Scope = { visible: () => sql`true` };

/** Returns whether a scope hides no row. */
export const isEverything = ({ visible }: Scope): boolean => visible === everything.visible;

export const nothingAtAll: Scope = { visible: () => sql`false` };

/** Returns the scope of the rows that are in both scopes. */
export const inBoth = (one: Scope, other: Scope): Scope => ({
  ...one,
  visible: (metadata, holds) => sql`(${one.visible(metadata, holds)}) and (${other.visible(metadata, holds)})`,
});
