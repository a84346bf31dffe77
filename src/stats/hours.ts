import { sql } from "../db/sql.ts";

/** The start of the current hour in UTC, by the database's clock. In a time zone such as UTC+5:30, hours would begin at other times. */
export const hourNow = sql`date_trunc('hour', now(), 'UTC')`;

/** How many days statistics are kept. */
export const keptDays = 30;
