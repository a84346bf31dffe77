import pg from "pg";
import { expect, test } from "vitest";
import { everything } from "../../src/db/scope.ts";
import { type FeedbackSearch, searchFeedback } from "../../src/feedback/feedback.ts";
import { afterFile } from "../after-file.ts";
import { countBlocks } from "../count-blocks.ts";
import { createDatabase } from "../database.ts";

const db = new pg.Pool({ connectionString: await createDatabase(), max: 1 });
afterFile(() => db.end());

/** Inserts feedback of which the oldest five rows have a rare key, graph and assistant. */
async function insertFeedback(rows: number): Promise<void> {
  await db.query("truncate feedback");
  await db.query(
    `insert into feedback (run_id, key, thread_id, assistant_id, graph_id, comment, changes, given_at)
     select md5('run' || n)::uuid, case when n <= 5 then 'rare' else 'thumb' end, md5('thread' || n / 10)::uuid,
            md5(case when n <= 5 then 'rare' else 'assistant' end)::uuid, case when n <= 5 then 'rare' else 'graph' end,
            'a comment of a person', 1, now() - $1 * interval '1 second' + n * interval '1 second'
       from generate_series(1, $1::integer) n`,
    [rows],
  );
  await db.query("vacuum analyze feedback");
}

test("a search reads as little among 60,000 rows of feedback as among 20,000, whatever it asks for", async () => {
  const { rows: ids } = await db.query("select md5('rare')::uuid as assistant, md5('run3')::uuid as run, md5('thread0')::uuid as thread");
  const { assistant: assistant_id, run: run_id, thread: thread_id } = ids[0];
  const filters: Record<string, Partial<FeedbackSearch>> = {
    "nothing in particular": {},
    "a common key": { key: "thumb" },
    "a rare key": { key: "rare" },
    "a key that nobody uses": { key: "none" },
    "a rare graph": { graph_id: "rare" },
    "a rare assistant": { assistant_id },
    "a run": { run_id },
    "a thread": { thread_id },
  };
  const { touched, explained } = await countBlocks(db);
  const measure = async (rows: number) => {
    await insertFeedback(rows);
    const blocks: [string, number][] = [];
    for (const [name, filter] of Object.entries(filters)) {
      touched.blocks = 0;
      await searchFeedback(explained, everything, { ...filter, limit: 10, offset: 0 });
      blocks.push([name, touched.blocks]);
    }
    return blocks;
  };
  const few = new Map(await measure(20_000));
  const noise = 200;
  for (const [name, blocks] of await measure(60_000))
    expect({ name, blocks, few: few.get(name), isBounded: blocks < 1.5 * (few.get(name) ?? 0) + noise }).toMatchObject({
      name,
      isBounded: true,
    });
});
