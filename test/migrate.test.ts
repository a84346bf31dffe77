import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { checkServerVersion, migrate } from "../src/db/migrate.ts";
import { openPool } from "../src/db/pool.ts";
import { runCommand } from "./command.ts";
import { createDatabase } from "./database.ts";

const everyFile = (await readdir(new URL("../migrations/", import.meta.url))).sort();

test("eight that migrate one empty database at once all come up, and each file is applied by one of them", async () => {
  const url = await createDatabase("template0");
  const inProcess = Array.from({ length: 6 }, async () => {
    const pool = openPool({ url, size: 1, onError: () => {} });
    return migrate(pool).finally(() => pool.end());
  });
  const commands = Array.from({ length: 2 }, async () => {
    const { code, stdout, stderr } = await runCommand(["migrate"], { DATABASE_URL: url });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout.match(/\w+\.sql/g) ?? [];
  });
  const applied = await Promise.all([...inProcess, ...commands]);
  expect(applied.flat().sort()).toEqual(everyFile);
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
