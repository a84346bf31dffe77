import { expect, onTestFinished, test, vi } from "vitest";
import { openPool } from "../../src/db/pool.ts";
import { until } from "../command.ts";
import { createDatabase } from "../database.ts";

vi.setConfig({ testTimeout: 90_000 });

const atWork = "select from pg_stat_activity where pid = $1 and query like 'select repeat%'";

test("a large answer is read completely although the event loop blocks for more than ten seconds", async () => {
  const url = await createDatabase();
  const pool = openPool({ url, size: 1, onError: () => {} });
  onTestFinished(() => pool.end());
  const onlooker = openPool({ url, size: 1, onError: () => {} });
  onTestFinished(() => onlooker.end());
  const { rows: before } = await pool.query("select pg_backend_pid() as pid");
  const asked = pool.query<{ text: string }>("select repeat('x', 100000000) as text");
  await until(async () => (await onlooker.query(atWork, [before[0].pid])).rowCount === 1);
  const end = Date.now() + 27_000;
  while (Date.now() < end);
  const { rows } = await asked;
  expect(rows[0]?.text).toHaveLength(100_000_000);
  expect((await pool.query("select pg_backend_pid() as pid")).rows).toEqual(before);
});
