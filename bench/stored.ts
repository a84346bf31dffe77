import type pg from "pg";

/** The size of a database's threads with their indexes, in MB. */
export interface Sizes {
  checkpoints: number | undefined;
  events: number | undefined;
  "thread row": number | undefined;
}

/** Measures the size after a VACUUM. It includes live rows, and the space of dead rows that could not be returned. */
export async function storedSizes(db: pg.Client): Promise<Sizes> {
  await db.query("vacuum");
  return {
    checkpoints: await megabytes(db, tables("checkpoint%", "replaced\\_writes")),
    events: await megabytes(db, tables("run\\_events")),
    "thread row": (await hasTable(db, "threads")) ? await megabytes(db, "select max(pg_column_size(t.*)) from threads t") : undefined,
  };
}

/** Measures only the live rows of the checkpoint tables, after a VACUUM FULL. */
export async function livingCheckpoints(db: pg.Client): Promise<number | undefined> {
  await db.query("vacuum full");
  return (await storedSizes(db)).checkpoints;
}

/** Deletes all data that a warm-up has stored. No run may be executing. */
export async function forgetStored(db: pg.Client): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
        and (relname in ('checkpoints', 'checkpoint_blobs', 'checkpoint_writes', 'replaced_writes', 'run_events'))`,
  );
  await db.query(`truncate ${rows.map(({ name }) => name).join(", ")}`);
}

const tables = (...patterns: string[]) =>
  `select sum(pg_total_relation_size(c.oid)) from pg_class c
    where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and (${patterns.map((pattern) => `c.relname like '${pattern}'`).join(" or ")})`;

async function megabytes(db: pg.Client, question: string): Promise<number | undefined> {
  const { rows } = await db.query<{ bytes: string | null }>(`select (${question}) as bytes`);
  const bytes = rows[0]?.bytes ?? undefined;
  return bytes === undefined ? undefined : Number(bytes) / 1024 / 1024;
}

async function hasTable(db: pg.Client, name: string): Promise<boolean> {
  const { rows } = await db.query<{ there: boolean }>("select to_regclass($1) is not null as there", [name]);
  return rows[0]?.there ?? false;
}
