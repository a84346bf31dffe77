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
