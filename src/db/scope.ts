import { type Sql, sql } from "./sql.ts";

/** Which rows of a kind somebody may see and change, told by the metadata that each row carries. */
export interface Scope {
  /** A condition on a `json` column or expression, for the `where` of whatever reads or changes such rows. */
  visible(metadata: Sql): Sql;
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
  visible: (metadata) => sql`(${one.visible(metadata)}) and (${other.visible(metadata)})`,
});
