import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { checkServerVersion, migrate } from "../../src/db/migrate.ts";
import { openPool } from "../../src/db/pool.ts";
import { runCommand } from "../command.ts";
import { createDatabase } from "../database.ts";

const files = (await readdir(new URL("../../migrations/", import.meta.url))).sort();
/** The migration files in the order in which they are applied. */
const everyFile = files
  .filter((file) => !file.endsWith(".concurrent.sql"))
  .concat(files.filter((file) => file.endsWith(".concurrent.sql")));

test("eight processes that migrate one empty database at once all start, and each file is applied once", async () => {
  const url = await createDatabase("template0");
  const inProcess = Array.from({ length: 6 }, async () => {
    const pool = openPool({ url, size: 1, onError: () => {} });
    return migrate(pool).finally(() => pool.end());
  });
  const commands = Array.from({ length: 2 }, async () => {
    const { code, stdout, stderr } = await runCommand(["migrate"], { DATABASE_URL: url });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout.match(/[\w.]+\.sql/g) ?? [];
  });
  const applied = await Promise.all([...inProcess, ...commands]);
  expect(applied.flat().sort()).toEqual(files);
});

test("a schema that is up to date is left alone", async () => {
  const url = await createDatabase("template0");
  const first = await runCommand(["migrate"], { DATABASE_URL: url });
  const second = await runCommand(["migrate"], { DATABASE_URL: url });
  expect(first.stdout).toBe(`Applied ${everyFile.join(", ")}.\n`);
  expect(second).toEqual({ code: 0, stdout: "The schema is up to date.\n", stderr: "" });
});

test("a migration of the embedded database is not asked for by hand", async () => {
  const { code, stderr } = await runCommand(["migrate"], {});
  expect(code).toBe(1);
  expect(stderr).toBe("ensemble: Set DATABASE_URL: the embedded database is migrated at every start.\n");
});

test("a server older than 14 is refused", () => {
  expect(() => checkServerVersion(130_014)).toThrow("Ensemble needs Postgres 14 or newer; this server is 13.");
  expect(() => checkServerVersion(140_000)).not.toThrow();
  expect(() => checkServerVersion(170_010)).not.toThrow();
});

test("an index whose build was cut short is built anew", async () => {
  const pool = openPool({ url: await createDatabase(), size: 3, onError: () => {} });
  const file = "030_checkpoints_newest.concurrent.sql";
  await pool.query("delete from migrations where file = $1", [file]);
  await pool.query("update pg_index set indisvalid = false where indexrelid = 'checkpoints_newest'::regclass");
  expect(await migrate(pool)).toEqual([file]);
  const { rows } = await pool.query("select indisvalid from pg_index where indexrelid = 'checkpoints_newest'::regclass");
  expect(rows).toEqual([{ indisvalid: true }]);
  await pool.end();
});

test("runs that ended before the migration know their graph after it", async () => {
  const pool = openPool({ url: await createDatabase(), size: 3, onError: () => {} });
  await pool.query(`
    insert into assistants (assistant_id, graph_id, name) values ('00000000-0000-0000-0000-000000000001', 'g', 'g');
    insert into threads (thread_id) values ('00000000-0000-0000-0000-000000000002');
    insert into runs (run_id, thread_id, assistant_id, multitask_strategy, metadata, kwargs, events_kept_secs, status, ended_at)
    select gen_random_uuid(), '00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', 'enqueue', '{}',
           case n % 3 when 0 then '{"config": {"configurable": {"graph_id": "other"}}}' when 1 then '{"input": "\\u0000"}' else '{}' end::json,
           1, 'success', now()
      from generate_series(1, 12000) n;
    update runs set graph_id = null`);
  await pool.query("delete from migrations where file like '033%'");
  await migrate(pool);
  const { rows } = await pool.query("select graph_id, count(*)::integer from runs group by graph_id order by graph_id");
  expect(rows).toEqual([
    { graph_id: "g", count: 8_000 },
    { graph_id: "other", count: 4_000 },
  ]);
  await pool.end();
});
