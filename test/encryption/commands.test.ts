import { resolve } from "node:path";
import { PostgresSaver } from "@langchain/langgraph-checkpoint-postgres";
import pg from "pg";
import { expect, test } from "vitest";
import { afterFile } from "../after-file.ts";
import { runCommand } from "../command.ts";
import { lettersAt } from "../dead-letters.ts";
import { startTestService } from "../service.ts";
import { findTraces } from "./traces.ts";

const secret = "Zaubernuss-4711-geheim";
const env = { ENSEMBLE_CONFIG: resolve("test/graphs/with-encryption/langgraph.json") };

test("commands show decrypted values, and export needs --decrypt", async () => {
  const { client, db, databaseUrl, fetch } = await startTestService(env);
  const { thread_id } = await client.threads.create();
  await client.runs.wait(thread_id, "confidant", { input: { secret, messages: [{ role: "user", content: secret }] } });
  const [letter] = await lettersAt({ fetch }).list();
  const commandEnv = { ...env, DATABASE_URL: databaseUrl };
  expect(await runCommand(["dead", "show", letter!.id], commandEnv)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`lost ${secret}`),
  });
  const blind = await runCommand(["dead"], {
    DATABASE_URL: databaseUrl,
    ENSEMBLE_CONFIG: resolve("test/graphs/with-encryption/plain.json"),
  });
  expect(blind).toMatchObject({ code: 1, stderr: expect.stringContaining("this process has no key") });

  // Metadata that only mentions the mark of encrypted values stays as it is, in however many rows.
  await db.query(
    `insert into checkpoints (thread_id, checkpoint_ns, checkpoint_id, checkpoint, metadata)
     select thread_id, 'notes', n::text, checkpoint, '{"note": "about ensemble.sealed: values"}'
       from (select * from checkpoints where thread_id = $1 limit 1) c, generate_series(1, 250) n`,
    [thread_id],
  );
  const refused = await runCommand(["export"], commandEnv);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("ensemble export --decrypt") });
  expect(await findTraces(db, secret)).toEqual([]);
  expect(await runCommand(["export", "--decrypt"], commandEnv)).toMatchObject({ code: 0 });
  const pool = new pg.Pool({ connectionString: databaseUrl });
  afterFile(() => pool.end());
  const stored = await new PostgresSaver(pool).getTuple({ configurable: { thread_id } });
  expect(stored?.checkpoint.channel_values).toMatchObject({ secret });
  expect(stored?.checkpoint.channel_values.messages).toHaveLength(22);
  expect((await client.threads.getState(thread_id)).values).toMatchObject({ secret });
});
