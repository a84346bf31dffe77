import { globSync, readFileSync } from "node:fs";
import pg from "pg";
import { expect, test } from "vitest";
import { sealedColumns } from "../../src/db/sealable.ts";
import { afterFile } from "../after-file.ts";
import { createDatabase } from "../database.ts";

const page = readFileSync("docs/guides/encryption.md", "utf8");

/** Returns the columns that the tables of a section of the page list. A cell may list several columns of one table. */
function columnsIn(heading: string): string[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(heading)) ?? "";
  return [...section.matchAll(/^\| `([a-z_]+)` \| ([^|]+) \|/gm)].flatMap(([, table, columns = ""]) =>
    [...columns.matchAll(/`([a-z_]+)`/g)].map(([, column]) => `${table}.${column}`),
  );
}

const encrypted = columnsIn("What is encrypted");
const readable = columnsIn("What stays readable");

test("the page lists every column that can hold values of users, as encrypted or as readable", async () => {
  const pool = new pg.Pool({ connectionString: await createDatabase() });
  afterFile(() => pool.end());
  const { rows } = await pool.query<{ name: string }>(`
    select table_name || '.' || column_name as name
      from information_schema.columns join information_schema.tables using (table_schema, table_name)
     where table_schema = 'public' and table_type = 'BASE TABLE'
       and udt_name in ('text', 'json', 'jsonb', 'bytea', '_text', 'varchar', '_int4', '_float4', 'varbit', 'vector') order by 1`);
  expect([...encrypted, ...readable].sort()).toEqual(rows.map(({ name }) => name).sort());
});

test("every column that is said to be encrypted is encrypted by a statement", () => {
  const files = globSync("src/**/*.ts", { exclude: ["src/db/sealable.ts"] });
  const code = files.map((file) => readFileSync(file, "utf8")).join("\n");
  const unused = Object.keys(sealedColumns).filter((name) => !new RegExp(`sealable(Json)?\\(\\s*"${name}"`).test(code));
  expect(unused).toEqual([]);
});

test("the page lists the columns that statements encrypt", () => {
  expect(Object.keys(sealedColumns).filter((name) => !encrypted.includes(name))).toEqual([]);
});
