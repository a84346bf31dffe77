import { sql } from "../db/sql.ts";

/** The current hour by the database's clock. Time zones whose hours begin at half past would otherwise have hours of their own. */
export const hourNow = sql`date_trunc('hour', now(), 'UTC')`;

/** How many days statistics are kept. */
export const keptDays = 30;
