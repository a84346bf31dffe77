import { type Sql, sql } from "./sql.ts";

/** A condition: the row has this field, with this value or, for an array, with each of these. */
export type Holds = (field: string, value: unknown) => Sql;

/** Which rows of a kind somebody may see and change, told by the metadata that each row carries. */
export interface Scope {
  /**
   * Returns a condition on a `json` column or expression, for the `where` of a statement that reads or changes such rows. Rows that are
   * compared by more than their metadata say how with `holds`.
   */
  visible(metadata: Sql, holds?: Holds): Sql;
  /** Who is looking, for graphs that are made for their user. */
  user?: { identity: string; permissions: string[] };
}

/** The scope of the service itself: workers, sweepers, commands. A caller's is decided by `request.access` and nothing else. */
export const everything: Scope = { visible: () => sql`true` };

/** Whether a scope hides nothing. */
export const isEverything = ({ visible }: Scope): boolean => visible === everything.visible;

export const nothingAtAll: Scope = { visible: () => sql`false` };

/** The rows that are in one scope and in another. */
export const inBoth = (one: Scope, other: Scope): Scope => ({
  ...one,
  visible: (metadata, holds) => sql`(${one.visible(metadata, holds)}) and (${other.visible(metadata, holds)})`,
});
